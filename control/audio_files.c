/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/audio_files.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    AT_ONCE = 64,               /* being decoded */
    KEPT_BYTES = 128 * 1048576, /* beyond that what nobody plays is forgotten */
};

struct agw_audio_files {
    GHashTable *kept;      /* "key rate" -> agw_audio */
    GCancellable *closing; /* cancelled: the object is gone */
    size_t bytes, running;
};

static void unref_audio(gpointer audio)
{
    agw_audio_unref(audio);
}

agw_audio_files *agw_audio_files_new(void)
{
    agw_audio_files *files = g_new0(agw_audio_files, 1);
    files->kept = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_audio);
    files->closing = g_cancellable_new();
    return files;
}

void agw_audio_files_free(agw_audio_files *files)
{
    if (files == NULL)
        return;
    g_cancellable_cancel(files->closing);
    g_object_unref(files->closing);
    g_hash_table_destroy(files->kept);
    g_free(files);
}

/* --- files -------------------------------------------------------------------------------------
 */

static GBytes *read_all(int fd, size_t len)
{
    char *content = g_try_malloc(len);
    size_t at = 0;
    while (content != NULL && at < len) {
        const ssize_t n = read(fd, content + at, len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    return content != NULL ? g_bytes_new_take(content, at) : NULL;
}

static GBytes *load(int fd, char **key, const char **why)
{
    struct stat st;
    *why = "not a file";
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return NULL;
    *why = "larger than what is played";
    if (st.st_size < 1 || st.st_size > AGW_AUDIO_FILE_MAX)
        return NULL;
    *why = "cannot be read";
    GBytes *content = read_all(fd, (size_t)st.st_size);
    if (content != NULL)
        *key =
            g_strdup_printf("%ju:%ju:%jd:%jd.%09ld", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino,
                            (intmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    return content;
}

GBytes *agw_audio_files_load(const char *path, char **key, const char **why)
{
    struct stat st; /* opening a device may already do something */
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        *why = "not a file";
        return NULL;
    }
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        *why = g_strerror(errno);
        return NULL;
    }
    GBytes *content = load(fd, key, why);
    close(fd);
    return content;
}

/* --- decoding ----------------------------------------------------------------------------------
 */

typedef struct job {
    agw_audio_files *files; /* not to be touched after closing */
    char *key;              /* NULL = not kept */
    GBytes *content;
    uint32_t rate_hz;
    agw_audio_ready *ready;
    void *user;
    GDestroyNotify free_user;
} job;

static void free_job(gpointer data)
{
    job *j = data;
    j->free_user(j->user);
    g_bytes_unref(j->content);
    g_free(j->key);
    g_free(j);
}

static void decode(GTask *task, gpointer source, gpointer data, GCancellable *closing)
{
    const job *j = data;
    agw_audio *audio = NULL;
    gsize len;
    const uint8_t *content = g_bytes_get_data(j->content, &len);
    (void)source, (void)closing;
    if (agw_audio_read(content, len, j->rate_hz, &audio) != AGW_OK)
        audio = NULL;
    g_task_return_pointer(task, audio, unref_audio);
}

static size_t size_of(const agw_audio *audio)
{
    return sizeof *audio + audio->n_samples * sizeof audio->samples[0];
}

static gboolean is_idle(gpointer key, gpointer value, gpointer user)
{
    const agw_audio *audio = value;
    (void)key;
    if (__atomic_load_n(&audio->refs, __ATOMIC_ACQUIRE) != 1)
        return FALSE;
    *(size_t *)user -= size_of(audio);
    return TRUE;
}

static void keep(agw_audio_files *files, const char *key, agw_audio *audio)
{
    if (key == NULL || g_hash_table_contains(files->kept, key))
        return;
    if (files->bytes + size_of(audio) > KEPT_BYTES)
        (void)g_hash_table_foreach_remove(files->kept, is_idle, &files->bytes);
    files->bytes += size_of(audio);
    g_hash_table_insert(files->kept, g_strdup(key), agw_audio_ref(audio));
}

static void decoded(GObject *source, GAsyncResult *result, gpointer user)
{
    GTask *task = G_TASK(result);
    const job *j = g_task_get_task_data(task);
    (void)source, (void)user;
    if (g_cancellable_is_cancelled(g_task_get_cancellable(task)))
        return;
    agw_audio *audio = g_task_propagate_pointer(task, NULL);
    j->files->running--;
    if (audio != NULL)
        keep(j->files, j->key, audio);
    j->ready(j->user, audio);
    agw_audio_unref(audio);
}

bool agw_audio_files_decode(agw_audio_files *files, const char *key, GBytes *content,
                            uint32_t rate_hz, agw_audio_ready *ready, void *user,
                            GDestroyNotify free_user)
{
    char *name = key != NULL ? g_strdup_printf("%s %u", key, rate_hz) : NULL;
    agw_audio *kept = name != NULL ? g_hash_table_lookup(files->kept, name) : NULL;
    if (kept != NULL) {
        ready(user, kept);
        free_user(user);
        g_free(name);
        return true;
    }
    if (files->running >= AT_ONCE) {
        g_free(name);
        return false;
    }
    job *j = g_new(job, 1);
    *j = (job){files, name, g_bytes_ref(content), rate_hz, ready, user, free_user};
    GTask *task = g_task_new(NULL, files->closing, decoded, NULL);
    g_task_set_check_cancellable(task, FALSE);
    g_task_set_task_data(task, j, free_job);
    files->running++;
    g_task_run_in_thread(task, decode);
    g_object_unref(task);
    return true;
}

size_t agw_audio_files_running(const agw_audio_files *files)
{
    return files->running;
}

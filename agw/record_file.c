/* SPDX-License-Identifier: BSD-3-Clause */
#include "agw/record_file.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 32 * 1024 };

struct agw_record_file {
    int fd, error;
    uint64_t len; /* written, or skipped */
    size_t used;
    uint8_t buffer[BUFFER];
};

agw_record_file *agw_record_file_new(int folder, const char *name)
{
    const int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                          S_IRUSR | S_IWUSR);
    if (fd < 0)
        return NULL;
    agw_record_file *f = calloc(1, sizeof *f);
    AGW_ASSERT(f != NULL);
    f->fd = fd;
    return f;
}

void agw_record_file_free(agw_record_file *f)
{
    if (f == NULL)
        return;
    agw_record_file_flush(f);
    close(f->fd);
    free(f);
}

void agw_record_file_flush(agw_record_file *f)
{
    const uint8_t *from = f->buffer;
    size_t left = f->used;
    f->used = 0;
    while (left > 0 && f->error == 0) {
        const ssize_t n = write(f->fd, from, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            f->error = n < 0 ? errno : ENOSPC;
            return;
        }
        from += n;
        left -= (size_t)n;
        f->len += (uint64_t)n;
    }
}

uint8_t *agw_record_file_room(agw_record_file *f, size_t len)
{
    AGW_ASSERT(len <= AGW_RECORD_ROOM_MAX);
    if (f->used + len > BUFFER)
        agw_record_file_flush(f);
    return f->buffer + f->used;
}

void agw_record_file_add(agw_record_file *f, size_t len)
{
    f->used += len;
}

void agw_record_file_skip(agw_record_file *f, uint64_t len)
{
    agw_record_file_flush(f);
    if (f->error != 0)
        return;
    if (lseek(f->fd, (off_t)len, SEEK_CUR) < 0)
        f->error = errno;
    else
        f->len += len;
}

void agw_record_file_set_head(agw_record_file *f, const uint8_t *head, size_t len)
{
    if (f->error == 0 && pwrite(f->fd, head, len, 0) != (ssize_t)len)
        f->error = errno != 0 ? errno : ENOSPC;
}

uint64_t agw_record_file_len(const agw_record_file *f)
{
    return f->len + f->used;
}

int agw_record_file_error(const agw_record_file *f)
{
    return f->error;
}

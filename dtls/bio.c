/* SPDX-License-Identifier: BSD-3-Clause */
#include "dtls/bio.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    MTU = 1200,
    OVERHEAD = 48 /* IPv6 and UDP */
};

static agw_bio_datagram *out_at(agw_bio_queue *queue, size_t i)
{
    return &queue->out[(queue->out_first + i) % AGW_BIO_OUT_MAX];
}

void agw_bio_put(agw_bio_queue *queue, const uint8_t *data, size_t len)
{
    const bool fits = len > 0 && len <= AGW_BIO_DATAGRAM_MAX && queue->out_count < AGW_BIO_OUT_MAX;
    uint8_t *copy = fits ? malloc(len) : NULL;
    if (copy == NULL) {
        queue->lost++; /* as a network would do */
        return;
    }
    memcpy(copy, data, len);
    *out_at(queue, queue->out_count++) = (agw_bio_datagram){copy, len};
}

static int bio_write(BIO *bio, const char *data, int len)
{
    BIO_clear_retry_flags(bio);
    if (len <= 0)
        return 0;
    agw_bio_put(BIO_get_data(bio), (const uint8_t *)data, (size_t)len);
    return len;
}

static int bio_read(BIO *bio, char *out, int room)
{
    agw_bio_queue *queue = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (queue->in == NULL || room <= 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    const size_t n = queue->in_len < (size_t)room ? queue->in_len : (size_t)room;
    memcpy(out, queue->in, n);
    queue->in = NULL; /* what did not fit is lost, as with a socket */
    return (int)n;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
        return MTU;
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
        return OVERHEAD;
    default:
        return 0;
    }
}

BIO_METHOD *agw_bio_method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "agw datagram");
    if (method == NULL)
        return NULL;
    if (BIO_meth_set_write(method, bio_write) == 1 && BIO_meth_set_read(method, bio_read) == 1 &&
        BIO_meth_set_ctrl(method, bio_ctrl) == 1)
        return method;
    BIO_meth_free(method);
    return NULL;
}

BIO *agw_bio_new(const BIO_METHOD *method, agw_bio_queue *queue)
{
    BIO *bio = BIO_new(method);
    if (bio == NULL)
        return NULL;
    BIO_set_data(bio, queue);
    BIO_set_init(bio, 1);
    return bio;
}

bool agw_bio_take(agw_bio_queue *queue, uint8_t *buf, size_t room, size_t *len)
{
    while (queue->out_count > 0) {
        const agw_bio_datagram d = *out_at(queue, 0);
        queue->out_first = (queue->out_first + 1) % AGW_BIO_OUT_MAX;
        queue->out_count--;
        const bool fits = d.len <= room;
        if (fits) {
            memcpy(buf, d.data, d.len);
            *len = d.len;
        } else {
            queue->lost++;
        }
        free(d.data);
        if (fits)
            return true;
    }
    return false;
}

const agw_bio_datagram *agw_bio_at(const agw_bio_queue *queue, size_t i)
{
    return &queue->out[(queue->out_first + i) % AGW_BIO_OUT_MAX];
}

agw_bio_datagram agw_bio_pull_newest(agw_bio_queue *queue)
{
    return *out_at(queue, --queue->out_count);
}

void agw_bio_truncate(agw_bio_queue *queue, size_t keep)
{
    while (queue->out_count > keep)
        free(out_at(queue, --queue->out_count)->data);
}

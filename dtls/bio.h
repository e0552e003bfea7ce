/* SPDX-License-Identifier: BSD-3-Clause
 * A BIO that keeps datagram borders (OpenSSL's memory BIO loses them): one write is one datagram in
 * a bounded queue, one read is one datagram. */
#ifndef AGW_DTLS_BIO_H
#define AGW_DTLS_BIO_H

#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AGW_BIO_OUT_MAX = 16,       /* datagrams that wait to be taken; further ones are lost */
    AGW_BIO_DATAGRAM_MAX = 2048 /* longer writes are lost */
};

typedef struct agw_bio_datagram {
    uint8_t *data;
    size_t len;
} agw_bio_datagram;

/** The two ends of a session's BIO; owned by the session, outlives the BIO. Zeroed = empty. */
typedef struct agw_bio_queue {
    const uint8_t *in; /* borrowed datagram that the next read returns; NULL = none */
    size_t in_len;
    agw_bio_datagram out[AGW_BIO_OUT_MAX];
    size_t out_first, out_count;
    uint64_t lost;
} agw_bio_queue;

/** Freed with BIO_meth_free(). NULL when memory is short. */
BIO_METHOD *agw_bio_method_new(void);
/** queue is borrowed as long as the BIO lives. NULL when memory is short. */
BIO *agw_bio_new(const BIO_METHOD *method, agw_bio_queue *queue);

/** Pulls the oldest written datagram; false: none. A datagram longer than room is lost. */
bool agw_bio_take(agw_bio_queue *queue, uint8_t *buf, size_t room, size_t *len);
/** Appends a copy, as a write does; lost when the queue is full. */
void agw_bio_put(agw_bio_queue *queue, const uint8_t *data, size_t len);
/** The i-th oldest waiting datagram, i < out_count; borrowed until the queue changes. */
const agw_bio_datagram *agw_bio_at(const agw_bio_queue *queue, size_t i);
/** Takes the newest out, out_count > 0; its data is given. */
agw_bio_datagram agw_bio_pull_newest(agw_bio_queue *queue);
/** Forgets all but the oldest `keep` waiting datagrams. */
void agw_bio_truncate(agw_bio_queue *queue, size_t keep);

#endif

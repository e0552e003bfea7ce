/* SPDX-License-Identifier: BSD-3-Clause
 * Random bytes fit for keys and credentials. */
#ifndef AGW_BASE_RAND_H
#define AGW_BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

/** Fills out; a system without entropy ends the process. */
void agw_rand_bytes(void *out, size_t len);
uint32_t agw_rand32(void);
/** Writes len characters of A-Z a-z 0-9 + / (ice-char, RFC 8839 section 5.4; 6 bits each) and a
 * NUL. */
void agw_rand_text(char *out, size_t len);

enum { AGW_RAND_STOCK_BYTES = 512 };

/** Random bytes drawn in advance by one owner: OpenSSL's generator takes 3 us for each request,
 * however small. Begins zeroed; wiped with agw_secret_wipe() when its owner ends. What was drawn is
 * not in it any more. */
typedef struct agw_rand_stock {
    uint8_t bytes[AGW_RAND_STOCK_BYTES];
    size_t left;
} agw_rand_stock;

/** As agw_rand_bytes(); len is at most AGW_RAND_STOCK_BYTES. */
void agw_rand_draw(agw_rand_stock *stock, void *out, size_t len);
/** As agw_rand_text(), with the same bound. */
void agw_rand_draw_text(agw_rand_stock *stock, char *out, size_t len);

#endif

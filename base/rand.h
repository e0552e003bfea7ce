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

#endif

/* SPDX-License-Identifier: BSD-3-Clause
 * A worker with two calls, on virtual time: plans, checks, DTLS, keys and raw datagrams to any port
 * from anywhere, as the bytes say. tests/agw/storm.h reads them and knows what must never happen;
 * raw datagrams lie in buffers of their exact size. */
#include "tests/agw/storm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        storm_run(data, size);
    return 0;
}

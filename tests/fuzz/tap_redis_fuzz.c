// SPDX-License-Identifier: Apache-2.0
/* What clients ask of a Redis and what it replies, both hostile. */
#include "tests/fuzz/tap_talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tap_talk_fuzz(&tap_redis, data, size);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a watch, and as inquiries: they are refused, or what is read is what is written. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/link/inquiry.h"

static void take(void *context, const struct inquiry *i)
{
    size_t *count = context;
    ++*count;
    if (strlen(i->agent) > LINK_AGENT_ID_MAX)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct inquiry_watch watch, again;
    uint64_t epoch, first;
    size_t count = 0;
    if (inquiry_watch_read(&watch, data, size) == 0) {
        struct buffer bytes = {0};
        if (inquiry_watch_write(&bytes, &watch) != 0 ||
            inquiry_watch_read(&again, bytes.data, bytes.length) != 0 ||
            again.cache_count != watch.cache_count || again.received != watch.received)
            abort();
        buffer_fini(&bytes);
    }
    if (inquiries_read(data, size, &epoch, &first, take, &count) == 0 && count > INQUIRIES_MOST)
        abort();
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* A string of a batch, a segment or a query: it points into what holds its bytes. */
#ifndef WEFT_CODEC_BATCH_STR_H
#define WEFT_CODEC_BATCH_STR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct batch_str {
    const char *bytes; /* not NUL-terminated; may be NULL where the length is 0 */
    uint32_t length;
};

static inline bool batch_str_equal(struct batch_str a, struct batch_str b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

static inline bool batch_str_is(struct batch_str s, const char *text)
{
    return batch_str_equal(s, (struct batch_str){text, (uint32_t)strlen(text)});
}

/* Bytewise, a shorter prefix first. */
static inline int batch_str_compare(struct batch_str a, struct batch_str b)
{
    uint32_t least = a.length < b.length ? a.length : b.length;
    int order = least ? memcmp(a.bytes, b.bytes, least) : 0;
    return order ? order : (a.length > b.length) - (a.length < b.length);
}

/* Its place in a list that rises; UINT32_MAX: it is not there. */
static inline uint32_t batch_str_find(const struct batch_str *list, uint32_t count,
                                      struct batch_str wanted)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = batch_str_compare(list[middle], wanted);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return UINT32_MAX;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker says about its spans, in a shared mapping of a file: a kill -9 at any instruction
 * loses nothing of it. An entry is taken before its span begins and is filled in as it goes on:
 *
 *     RESERVED    the span may or may not have begun; its id is not known
 *     BEGUN       it has begun, its end may or may not have happened
 *     ENDED       weft_end came back
 *     UNRECORDED  libweft gave no span: a counter of its must tell
 */
#ifndef WEFT_TESTS_E2E_WORKLOG_H
#define WEFT_TESTS_E2E_WORKLOG_H

#include <stdatomic.h>
#include <stdint.h>

#define WORKLOG_MAGIC 0x676f6c6b726f7721u

enum worklog_state { WORKLOG_RESERVED, WORKLOG_BEGUN, WORKLOG_ENDED, WORKLOG_UNRECORDED };

struct worklog_entry {
    uint64_t span_id;
    _Atomic uint64_t state;
};

struct worklog {
    uint64_t magic, capacity;
    _Atomic uint64_t used; /* may pass the capacity; then there are `capacity` entries */
    uint64_t reserved;
    struct worklog_entry entries[];
};

#endif

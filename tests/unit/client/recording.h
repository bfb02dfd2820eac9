// SPDX-License-Identifier: Apache-2.0
/* For tests that record within their own process: its file, open for reading, and what was found
 * in its rings. */
#ifndef WEFT_TESTS_CLIENT_RECORDING_H
#define WEFT_TESTS_CLIENT_RECORDING_H

#include "tests/unit/slab_fixture.h"
#include "weft/weft.h"

static struct slab_reader *reader;
static struct gathered *found;

/* After fixture_begin() and what is to be set in the environment. 0, or -1. */
static inline int recording_begin(void)
{
    weft_end(weft_begin(WEFT_NAME("first"), WEFT_INTERNAL));
    enum slab_error error;
    reader = fixture_open(fixture_file(0), &error);
    found = gathered_create();
    return reader ? 0 : -1;
}

static inline int end_all(void **state)
{
    (void)state;
    slab_reader_close(&reader);
    gathered_destroy(found);
    fixture_end();
    return 0;
}

/* What came into the rings since the last test. */
static inline int drain(void **state)
{
    (void)state;
    found->count = 0;
    gather_rings(reader, found);
    found->count = 0;
    return slab_release(reader);
}

#endif

// SPDX-License-Identifier: Apache-2.0
/* For tests that count within their own process: its file, open for reading, and sums of what was
 * taken of it. */
#ifndef WEFT_TESTS_CLIENT_COUNTING_H
#define WEFT_TESTS_CLIENT_COUNTING_H

#include <math.h>
#include <pthread.h>

#include "tests/unit/stats_fixture.h"
#include "weft/weft.h"

static struct slab_reader *reader;
static struct tallies *tallies;

static inline int begin_all(void **state)
{
    (void)state;
    fixture_begin();
    setenv("WEFT_INSTRUMENTS", "300", 1);
    weft_counter_add(WEFT_COUNTER("first_total"), 1);
    enum slab_error error;
    reader = fixture_open(fixture_file(0), &error);
    tallies = tallies_create();
    return reader && tallies ? 0 : -1;
}

static inline int end_all(void **state)
{
    (void)state;
    slab_reader_close(&reader);
    tallies_destroy(tallies);
    fixture_end();
    return 0;
}

/* All that was counted so far is forgotten. */
static inline int forget(void **state)
{
    (void)state;
    int error = tallies_take(reader, tallies);
    tallies_clear(tallies);
    return error;
}

static inline struct tally *take(const char *name)
{
    assert_int_equal(tallies_take(reader, tallies), SLAB_OK);
    return tally_of(tallies, name);
}

static inline void in_another_thread(void *(*body)(void *), void *context)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, body, context), 0);
    pthread_join(thread, NULL);
}

/* Over so many octaves below and above one, evenly in the logarithm. */
static inline double random_value(uint64_t *seed, int octaves)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    double mantissa = 1 + (double)(*seed >> 12) * 0x1p-52;
    return ldexp(mantissa, (int)(*seed % (unsigned)(2 * octaves)) - octaves);
}

#endif

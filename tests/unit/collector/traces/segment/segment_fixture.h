// SPDX-License-Identifier: Apache-2.0
/* Segments of random spans, in memory files. */
#ifndef TESTS_UNIT_COLLECTOR_TRACES_SEGMENT_SEGMENT_FIXTURE_H
#define TESTS_UNIT_COLLECTOR_TRACES_SEGMENT_SEGMENT_FIXTURE_H

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collector/traces/segment/writer.h"
#include "tests/unit/collector/traces/segment/random_spans.h"

static inline struct segment *fixture_open(int fd)
{
    int error;
    char why[200] = "";
    struct segment *s = segment_open(fd, &error, why, sizeof why);
    if (!s)
        fail_msg("%d: %s", error, why);
    return s;
}

static inline struct segment_writer *fixture_begin(int *fd, uint32_t rows, uint32_t rows_max)
{
    *fd = memfd_create("segment", MFD_CLOEXEC);
    assert_true(*fd >= 0);
    struct segment_writer *w = segment_writer_create(*fd);
    assert_non_null(w);
    if (rows)
        segment_writer_limit_groups(w, rows, rows_max);
    return w;
}

static inline struct segment *fixture_finish(struct segment_writer *w, int fd)
{
    struct segment_summary summary = {.first = 3, .last = 4};
    assert_int_equal(segment_writer_finish(w, &summary), 0);
    segment_writer_destroy(&w);
    struct segment *s = fixture_open(fd);
    assert_int_equal(segment_summary(s)->spans, summary.spans);
    assert_int_equal(segment_summary(s)->groups, summary.groups);
    assert_int_equal(segment_summary(s)->file_bytes, summary.file_bytes);
    return s;
}

static inline struct segment *fixture_write(const struct random_spans *r, uint32_t rows,
                                            uint32_t rows_max)
{
    int fd;
    struct segment_writer *w = fixture_begin(&fd, rows, rows_max);
    for (uint32_t i = 0; i < r->trace_count; i++)
        assert_int_equal(segment_writer_add(w, r->traces[i].id, i % 5 == 0, r->traces[i].rows,
                                            r->traces[i].count),
                         0);
    return fixture_finish(w, fd);
}

#endif

// SPDX-License-Identifier: Apache-2.0
/* A ledger with spans in it, a firehose over it, and clients that read, for tests. */
#ifndef TESTS_UNIT_COLLECTOR_FIREHOSE_STREAM_H
#define TESTS_UNIT_COLLECTOR_FIREHOSE_STREAM_H

#include <stdatomic.h>

#include "collector/firehose/internal.h"
#include "lib/base/clock.h"
#include "tests/unit/collector/spans.h"
#include "tests/unit/directory.h"
#include "tests/unit/eventually.h"

enum { STREAM_SPANS_MOST = 200000 };

struct stream_fixture {
    char directory[64];
    struct ledger *ledger;
    struct firehose *firehose;
    uint64_t limit_bytes, segment_bytes;
    unsigned keep_alive_ms, stuck_ms, drain_ms;
    uint64_t spans, batches; /* appended */
    struct firehose_client *attached[64];
};

static inline void stream_write_state(void *context, struct buffer *out)
{
    (void)context;
    buffer_text(out, "state");
}

static inline void stream_durable(void *context)
{
    struct stream_fixture *f = context;
    if (f->firehose)
        firehose_durable(f->firehose);
}

static inline int stream_state(void *context, struct bytes_reader *in)
{
    (void)context;
    (void)in;
    return 0;
}

static inline bool stream_batch(void *context, const struct frame *f,
                                const struct ledger_told *told)
{
    (void)context;
    (void)f;
    (void)told;
    return true;
}

static inline void stream_open_ledger(struct stream_fixture *f)
{
    char path[128], why[256] = "";
    snprintf(path, sizeof path, "%s/ledger", f->directory);
    struct ledger_options ledger = {
        .directory = path,
        .limit_bytes = f->limit_bytes ? f->limit_bytes : 1 << 30,
        .segment_bytes = f->segment_bytes ? f->segment_bytes : 1 << 20,
        .write_state = stream_write_state,
        .durable = stream_durable,
        .context = f,
    };
    f->ledger = ledger_open(&ledger, why, sizeof why);
    if (!f->ledger)
        fail_msg("%s", why);
    struct ledger_read_stats stats;
    assert_int_equal(
        ledger_read_back(
            f->ledger,
            &(struct ledger_reading){.state = stream_state, .batch = stream_batch, .context = f},
            &stats),
        0);
}

static inline void stream_open_firehose(struct stream_fixture *f)
{
    char path[128], why[256] = "";
    snprintf(path, sizeof path, "%s/firehose", f->directory);
    struct firehose_options options = {
        .ledger = f->ledger,
        .directory = path,
        .keep_alive_ms = f->keep_alive_ms ? f->keep_alive_ms : 3,
        .drain_ms = f->drain_ms,
        .stuck_ms = f->stuck_ms,
        .checkpoint_ms = 5,
    };
    f->firehose = firehose_open(&options, why, sizeof why);
    if (!f->firehose)
        fail_msg("%s", why);
}

static inline void stream_open(struct stream_fixture *f)
{
    stream_open_ledger(f);
    stream_open_firehose(f);
}

static inline void stream_close(struct stream_fixture *f)
{
    firehose_close(&f->firehose);
    ledger_close(&f->ledger);
}

static inline int stream_setup(void **state)
{
    struct stream_fixture *f = calloc(1, sizeof *f);
    strcpy(f->directory, "/tmp/weft-firehose-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    stream_open(f);
    *state = f;
    return 0;
}

static inline int stream_teardown(void **state)
{
    struct stream_fixture *f = *state;
    for (int i = 0; i < 64; i++) {
        if (f->attached[i]) /* the test failed */
            firehose_detach(f->attached[i]);
    }
    stream_close(f);
    assert_int_equal(directory_remove(f->directory), 0);
    free(f);
    return 0;
}

/* A batch of spans with the ids that follow; each of a trace of its own. Not durable yet. */
static inline void stream_append_at(struct stream_fixture *f, unsigned count, uint64_t unix_ns)
{
    struct spans s;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web");
    for (unsigned i = 0; i < count; i++) {
        f->spans++;
        spans_add(&s, (struct span_by_hand){web, "GET /", .trace = f->spans, .id = f->spans});
    }
    struct buffer bytes = spans_encode(&s);
    struct frame frame = {.kind = FRAME_BATCH,
                          .agent = "box1",
                          .sequence = {1, ++f->batches},
                          .accepted_unix_ns = unix_ns,
                          .spans = count,
                          .body = bytes.data,
                          .length = bytes.length};
    assert_int_equal(ledger_append(f->ledger, &frame, NULL), 0);
    buffer_fini(&bytes);
}

static inline void stream_append(struct stream_fixture *f, unsigned count)
{
    stream_append_at(f, count, clock_unix_ns());
    assert_int_equal(ledger_sync(f->ledger), 0);
}

static inline struct firehose_client *stream_attach(struct stream_fixture *f,
                                                    struct firehose_request request)
{
    struct firehose_client *c;
    char why[256] = "";
    if (!request.format)
        request.format = &firehose_json;
    if (firehose_attach(f->firehose, &request, &c, why, sizeof why) != FIREHOSE_OK)
        fail_msg("%s", why);
    for (int i = 0; i < 64; i++) {
        if (!f->attached[i]) {
            f->attached[i] = c;
            break;
        }
    }
    return c;
}

static inline void stream_detach(struct stream_fixture *f, struct firehose_client *c)
{
    for (int i = 0; i < 64; i++) {
        if (f->attached[i] == c)
            f->attached[i] = NULL;
    }
    firehose_detach(c);
}

/* ---- what was received ------------------------------------------------------------------- */

struct received {
    unsigned *times; /* each span came, by its number */
    uint64_t spans, gap_spans, gaps;
    uint64_t last; /* span */
    char cursor[POSITION_TEXT_MAX];
    struct buffer line; /* the last one without its end */
};

static inline struct received received_begin(void)
{
    struct received r = {.times = calloc(STREAM_SPANS_MOST, sizeof *r.times)};
    assert_non_null(r.times);
    return r;
}

static inline void received_fini(struct received *r)
{
    free(r->times);
    buffer_fini(&r->line);
}

static inline void receive_line(struct received *r, const char *line)
{
    const char *at = strstr(line, "\"span_id\":\""), *cursor = strstr(line, "\"cursor\":\"");
    if (!*line)
        return;
    assert_non_null(cursor);
    assert_int_equal(sscanf(cursor + 10, "%63[0-9a-f.]", r->cursor), 1);
    if (at) {
        r->last = strtoull(at + 11, NULL, 16);
        assert_true(r->last < STREAM_SPANS_MOST);
        r->times[r->last]++;
        r->spans++;
    } else {
        at = strstr(line, "\"spans\":");
        assert_non_null(at);
        r->gaps++;
        r->gap_spans += strtoull(at + 8, NULL, 10);
    }
}

/* Whole lines count; the begin of another waits for its rest. */
static inline void receive(struct received *r, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '\n') {
            buffer_byte(&r->line, bytes[i]);
            continue;
        }
        receive_line(r, buffer_cstring(&r->line));
        buffer_clear(&r->line);
    }
}

/* Reads until nothing more comes (a keep-alive), or so many spans are there. False: it is over. */
static inline bool read_some(struct firehose_client *c, struct received *r, uint64_t most)
{
    struct buffer out = {0};
    bool more = true, idle = false;
    while (more && !idle && r->spans < most) {
        buffer_clear(&out);
        more = firehose_next(c, &out);
        idle = out.length == 1 && !c->reader.batch; /* it is not searching either */
        receive(r, out.data, out.length);
    }
    buffer_fini(&out);
    return more;
}

static inline void read_all(struct firehose_client *c, struct received *r)
{
    assert_true(read_some(c, r, UINT64_MAX));
}

static inline void assert_each_once(const struct received *r, uint64_t first, uint64_t last)
{
    for (uint64_t i = first; i <= last; i++) {
        if (r->times[i] != 1)
            fail_msg("span %llu came %u times", (unsigned long long)i, r->times[i]);
    }
}

/* Waits until nobody is left that must be waited for. */
static inline void wait_for_clients(struct stream_fixture *f, unsigned count)
{
    struct firehose_counts counts;
    EVENTUALLY((firehose_counts(f->firehose, &counts), counts.clients == count));
}

static inline void leave(struct stream_fixture *f, struct firehose_client *c, unsigned left)
{
    stream_detach(f, c);
    wait_for_clients(f, left);
}

/* ---- a connection by hand ---------------------------------------------------------------- */

/* A connection by hand: so many bytes are not acknowledged; its client has left in order. Where it
 * counts (headers, frames and all), `written` is its count. */
struct wire {
    atomic_uint behind, written;
    atomic_bool left;
};

static inline void wire_look(void *context, struct transport_state *state)
{
    struct wire *w = context;
    unsigned written = atomic_load(&w->written), behind = atomic_load(&w->behind);
    *state = (struct transport_state){
        .peer = atomic_load(&w->left) ? PEER_LEFT : PEER_THERE,
        .acknowledged = written > behind ? written - behind : 0,
        .unacknowledged = behind,
    };
}

static inline void wire_nothing(void *context)
{
    (void)context;
}

static inline void use_wire(struct firehose_client *c, struct wire *w, bool counts)
{
    pthread_mutex_lock(&c->firehose->lock);
    c->transport = (struct transport){wire_look, wire_nothing, free, w, counts};
    pthread_mutex_unlock(&c->firehose->lock);
}

/* All that is kept; and the same for an app. */
static inline struct firehose_request everything(void)
{
    return (struct firehose_request){.start = FIREHOSE_OLDEST};
}

static inline struct firehose_request app(const char *name)
{
    return (struct firehose_request){.app = name, .start = FIREHOSE_OLDEST};
}

#endif

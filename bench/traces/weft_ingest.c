// SPDX-License-Identifier: Apache-2.0
/* Batches as agents send them go through what the committing thread does with a group; the
 * store's own threads cut and merge. The batches are encoded into a file before, so neither
 * making them nor their memory counts. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/traces/weft.h"
#include "collector/traces/store_internal.h"

enum { SPANS_PER_BATCH = 2000, GROUP = 16, MIB = 1 << 20, QUIET_MS = 2000, LOOK_MS = 20 };

/* `memory: 512M`, the default: half is the head's. */
#define HEAD_BYTES   ((uint64_t)256 * MIB)
#define LEDGER_BYTES ((uint64_t)64 << 30)

/* ---- the parts --------------------------------------------------------------------------- */

static void settle(void *context, struct link_request *request, enum link_verdict verdict,
                   const char *text)
{
    (void)context;
    (void)request;
    if (verdict != LINK_ACCEPTED)
        die("a batch was not accepted: %s", text);
}

static void write_state(void *context, struct buffer *out)
{
    commit_write_state(context, out);
}

void weft_open(struct weft *w, const char *directory)
{
    char why[512];
    *w = (struct weft){.inflight = inflight_create(64 * MIB)};
    snprintf(w->traces, sizeof w->traces, "%s/traces", directory);
    snprintf(w->ledger, sizeof w->ledger, "%s/ledger", directory);
    mkdir(w->traces, 0700);
    mkdir(w->ledger, 0700);
    snprintf(w->series, sizeof w->series, "%s/series", directory);
    freshness_init(&w->freshness);
    stores_init(&w->stores);
    struct commit_parts parts = {
        .stores = &w->stores,
        .dedupe = dedupe_create(),
        .losses = losses_create(),
        .freshness = &w->freshness,
        .agents = agents_create(),
        .settle = settle,
    };
    if (!w->inflight || !parts.dedupe || !parts.losses || !parts.agents)
        die("no memory");
    w->stores.traces = store_open(&(struct store_options){.directory = w->traces,
                                                          .head_bytes = HEAD_BYTES,
                                                          .cut_after_ns = UINT64_C(600000000000)},
                                  why, sizeof why);
    w->stores.series =
        w->stores.traces ? series_store_open(&(struct series_store_options){.directory = w->series},
                                             why, sizeof why)
                         : NULL;
    if (!w->stores.series)
        die("%s", why);
    commit_init(&w->commit, &parts);
    w->commit.parts.ledger = ledger_open(&(struct ledger_options){.directory = w->ledger,
                                                                  .limit_bytes = LEDGER_BYTES,
                                                                  .segment_bytes = 64 * MIB,
                                                                  .write_state = write_state,
                                                                  .context = &w->commit.parts},
                                         why, sizeof why);
    if (!w->commit.parts.ledger)
        die("%s", why);
    int error = commit_read_back(&w->commit);
    if (error != 0)
        die("the ledger cannot be read back: %s", strerror(-error));
    w->query = (struct query){.store = w->stores.traces, .inflight = w->inflight};
}

void weft_close(struct weft *w)
{
    struct commit_parts *p = &w->commit.parts;
    ledger_close(&p->ledger);
    series_store_close(&w->stores.series);
    store_close(&w->stores.traces);
    stores_fini(&w->stores);
    dedupe_destroy(&p->dedupe);
    losses_destroy(&p->losses);
    agents_destroy(&p->agents);
    inflight_destroy(&w->inflight);
    freshness_fini(&w->freshness);
}

/* ---- batches ----------------------------------------------------------------------------- */

struct batches {
    int fd;
    uint64_t count, at; /* `at`: bytes read */
    uint32_t *lengths;
    struct buffer bytes[GROUP];
};

static void write_fully(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t wrote = write(fd, bytes, length);
        if (wrote <= 0)
            die("batches cannot be written: %s", strerror(errno));
        bytes += wrote;
        length -= (size_t)wrote;
    }
}

static void encode_batches(const struct input *in, struct batches *list)
{
    struct workload *w = workload_create(in->kind, in->seed, in->start_unix_ns);
    struct batch_builder *b = batch_builder_create();
    char path[4096];
    *list = (struct batches){.count = in->spans / SPANS_PER_BATCH};
    list->lengths = malloc(list->count * sizeof *list->lengths);
    snprintf(path, sizeof path, "%s/batches", in->directory);
    list->fd = open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
    if (!w || !b || !list->lengths || list->fd < 0)
        die("%s: %s", path, strerror(errno));
    unlink(path);
    for (uint64_t i = 0; i < list->count; i++) {
        struct buffer *bytes = &list->bytes[0];
        batch_builder_reset(b);
        workload_fill(w, b, SPANS_PER_BATCH);
        buffer_clear(bytes);
        if (batch_encode(b, bytes) != 0)
            die("no memory");
        write_fully(list->fd, bytes->data, bytes->length);
        list->lengths[i] = (uint32_t)bytes->length;
    }
    fsync(list->fd); /* now, so that the ledger's syncs do not wait for it */
    batch_builder_destroy(&b);
    workload_destroy(&w);
}

static void read_batch(struct batches *list, uint64_t i, struct buffer *bytes)
{
    uint32_t length = list->lengths[i];
    buffer_clear(bytes);
    if (!buffer_reserve(bytes, length) ||
        pread(list->fd, bytes->data, length, (off_t)list->at) != (ssize_t)length)
        die("batches cannot be read");
    bytes->length = length;
    list->at += length;
}

static void batches_fini(struct batches *list)
{
    for (unsigned i = 0; i < GROUP; i++)
        buffer_fini(&list->bytes[i]);
    free(list->lengths);
    close(list->fd);
}

/* ---- through the store ------------------------------------------------------------------- */

static size_t read_group(struct commit *c, struct batches *list, uint64_t first,
                         struct queued group[GROUP])
{
    size_t count = 0;
    for (; count < GROUP && first + count < list->count; count++) {
        struct link_request *r = &group[count].request;
        struct buffer *bytes = &list->bytes[count];
        read_batch(list, first + count, bytes);
        group[count].copy = false;
        group[count].kind = FRAME_BATCH;
        *r = (struct link_request){.type = LINK_BATCH,
                                   .agent = "box1",
                                   .sequence = {1, first + count + 1},
                                   .body = bytes->data,
                                   .length = bytes->length};
        if (dedupe_begin(c->parts.dedupe, r->agent, r->sequence, (struct link_sequence){0}) !=
            DEDUPE_NEW)
            die("a batch is not new");
    }
    return count;
}

static void commit_all(struct weft *w, struct batches *list, struct side *side)
{
    struct queued group[GROUP];
    for (uint64_t i = 0; i < list->count;) {
        size_t count = read_group(&w->commit, list, i, group);
        double wall_ns = measure_wall_ns(), cpu_ns = measure_clock_ns(CLOCK_THREAD_CPUTIME_ID);
        commit_group(&w->commit, group, count);
        side->commit_cpu_ns += measure_clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
        side->commit_wall_ns += measure_wall_ns() - wall_ns;
        i += count;
    }
}

static double thread_cpu_ns(pthread_t thread)
{
    clockid_t clock;
    return pthread_getcpuclockid(thread, &clock) == 0 ? measure_clock_ns(clock) : 0;
}

/* Waits for the cutting thread, then until the merging one has nothing to do for QUIET_MS. */
static void wait_until_settled(struct store *s, double began_ns, struct side *side)
{
    struct store_stats stats;
    pthread_rwlock_wrlock(&s->lock);
    s->options.cut_after_ns = 1;
    pthread_rwlock_unlock(&s->lock);
    wakeup_all(&s->wakeup);
    for (store_stats(s, &stats); stats.head_spans > 0; store_stats(s, &stats))
        usleep(LOOK_MS * 1000);
    side->cut_wall_ns = measure_wall_ns() - began_ns;
    double changed_ns = began_ns + side->cut_wall_ns, cpu_ns = thread_cpu_ns(s->keeper.merging);
    while (measure_wall_ns() - changed_ns < QUIET_MS * 1e6) {
        usleep(LOOK_MS * 1000);
        double now_ns = thread_cpu_ns(s->keeper.merging);
        if (now_ns - cpu_ns > 2e6) {
            changed_ns = measure_wall_ns();
            cpu_ns = now_ns;
        }
    }
    store_stats(s, &stats);
    side->merged_wall_ns = changed_ns - began_ns;
    side->cuts = stats.cuts;
    side->merges = stats.keeping.merges;
    side->segments = stats.segments.segments;
    side->disk_bytes = stats.segments.bytes;
    side->spans = stats.segments.spans;
}

void weft_ingest(struct weft *w, const struct input *in, struct side *side)
{
    struct batches list;
    struct store *s = w->stores.traces;
    encode_batches(in, &list);
    malloc_trim(0);
    peak_reset(getpid());
    double began_ns = measure_wall_ns();
    commit_all(w, &list, side);
    wait_until_settled(s, began_ns, side);
    side->cut_cpu_ns = thread_cpu_ns(s->keeper.cutting);
    side->merge_cpu_ns = thread_cpu_ns(s->keeper.merging);
    side->ingest_peak_mib = memory_mib(getpid(), "VmHWM");
    side->ledger_bytes = bytes_below(w->ledger);
    if (side->spans != list.count * SPANS_PER_BATCH)
        die("%llu spans were put in and %llu are in segments",
            (unsigned long long)(list.count * SPANS_PER_BATCH), (unsigned long long)side->spans);
    batches_fini(&list);
    malloc_trim(0);
    side->rest_mib = memory_mib(getpid(), "VmRSS");
}

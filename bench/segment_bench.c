// SPDX-License-Identifier: Apache-2.0
/* Segments alone, for both workloads of a million spans each: what writing costs, how many bytes
 * a span takes and in which columns, and what the ways of reading cost from a warm page cache.
 * One thread; the file is in memory. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/workload.h"
#include "collector/traces/order.h"
#include "collector/traces/segment/segment.h"

enum { SPANS = 1000000, SPANS_A_BATCH = 4000, BATCHES = SPANS / SPANS_A_BATCH, FINDS = 2000 };

#define START_UNIX_NS UINT64_C(1763760000000000000)

struct input {
    struct arena arena;
    struct batch *batches[BATCHES];
    struct segment_row *rows; /* by trace */
    uint64_t *hi, *lo;
    uint32_t count;
};

static void check(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* ---- input ------------------------------------------------------------------------------- */

static int by_trace(const void *left, const void *right)
{
    const struct segment_row *a = left, *b = right;
    uint64_t x = a->batch->trace_hi[a->row], y = b->batch->trace_hi[b->row];
    return (x > y) - (x < y);
}

static void make_input(struct input *in, enum workload_kind kind)
{
    struct workload *w = workload_create(kind, 7, START_UNIX_NS);
    struct batch_builder *b = batch_builder_create();
    struct buffer bytes = {0};
    check(w && b, "no memory");
    arena_init(&in->arena, 1 << 20);
    in->rows = malloc(SPANS * sizeof *in->rows);
    in->count = 0;
    for (int i = 0; i < BATCHES; i++) {
        int error;
        batch_builder_reset(b);
        workload_fill(w, b, SPANS_A_BATCH);
        buffer_clear(&bytes);
        check(batch_encode(b, &bytes) == 0, "no memory");
        in->batches[i] = batch_decode(&in->arena, bytes.data, bytes.length, 1 << 30, &error);
        check(in->batches[i], "a batch cannot be decoded");
        for (uint32_t row = 0; row < SPANS_A_BATCH; row++)
            in->rows[in->count++] = (struct segment_row){in->batches[i], row, BLOCK_NONE};
    }
    qsort(in->rows, in->count, sizeof *in->rows, by_trace);
    buffer_fini(&bytes);
    batch_builder_destroy(&b);
    workload_destroy(&w);
}

/* The rows of one trace from `first` on, in the order of the tree. Returns the end. */
static uint32_t order_rows(struct input *in, struct order *order, uint32_t first)
{
    enum { TRACE_SPANS_MAX = 1000 };
    static struct order_span spans[TRACE_SPANS_MAX];
    static struct segment_row rows[TRACE_SPANS_MAX];
    uint32_t end = first;
    for (; end < in->count && by_trace(&in->rows[first], &in->rows[end]) == 0; end++) {
        const struct batch *b = in->rows[end].batch;
        uint32_t row = in->rows[end].row;
        check(end - first < TRACE_SPANS_MAX, "a large trace");
        spans[end - first] =
            (struct order_span){b->span_id[row], b->parent_id[row], b->start_unix_ns[row],
                                b->process[row], b->status[row]};
    }
    check(order_trace(order, spans, end - first) == 0, "no memory");
    check(order->count == end - first, "copies");
    for (uint32_t i = 0; i < order->count; i++) {
        rows[i] = in->rows[first + order->span[i]];
        rows[i].parent = order->parent[i] == ORDER_NONE ? BLOCK_NONE : order->parent[i];
    }
    memcpy(in->rows + first, rows, order->count * sizeof *rows);
    return end;
}

static uint32_t *find_traces(struct input *in, uint32_t *count)
{
    struct order order = {0};
    uint32_t *first = malloc((SPANS + 1) * sizeof *first);
    *count = 0;
    for (uint32_t at = 0; at < in->count;) {
        first[(*count)++] = at;
        at = order_rows(in, &order, at);
    }
    first[*count] = in->count;
    order_fini(&order);
    return first;
}

static struct trace_id id_of(const struct segment_row *r)
{
    return (struct trace_id){r->batch->trace_hi[r->row], r->batch->trace_lo[r->row]};
}

/* ---- writing ----------------------------------------------------------------------------- */

static double write_segment(struct input *in, const uint32_t *first, uint32_t traces, int fd,
                            struct segment_summary *summary)
{
    double begin = measure_cpu_ns();
    struct segment_writer *w = segment_writer_create(fd);
    check(w, "no memory");
    for (uint32_t i = 0; i < traces; i++)
        check(segment_writer_add(w, id_of(&in->rows[first[i]]), false, in->rows + first[i],
                                 first[i + 1] - first[i]) == 0,
              "cannot write");
    *summary = (struct segment_summary){.first = 1, .last = 1};
    check(segment_writer_finish(w, summary) == 0, "cannot write");
    segment_writer_destroy(&w);
    return (measure_cpu_ns() - begin) / SPANS;
}

/* ---- bytes ------------------------------------------------------------------------------- */

enum { KINDS_MAX = 64, KIND_NAME_MAX = 32 };

struct kinds {
    char name[KINDS_MAX][KIND_NAME_MAX];
    uint64_t bytes[KINDS_MAX];
    int count;
};

/* All attributes count as one column here. */
static void add_bytes(void *context, const char *column, uint64_t bytes)
{
    struct kinds *k = context;
    char name[KIND_NAME_MAX];
    snprintf(name, sizeof name, "%s", strncmp(column, "attribute ", 10) ? column : "attributes");
    int i = 0;
    while (i < k->count && strcmp(k->name[i], name) != 0)
        i++;
    if (i == k->count && i < KINDS_MAX) {
        memcpy(k->name[i], name, sizeof name);
        k->bytes[i] = 0;
        k->count++;
    }
    k->bytes[i] += bytes;
}

static void print_bytes(struct segment *s)
{
    struct kinds k = {.count = 0};
    check(segment_bytes_by_column(s, add_bytes, &k) == SEGMENT_OK, "damaged");
    for (int printed = 0; printed < k.count; printed++) {
        int most = 0;
        for (int i = 1; i < k.count; i++)
            most = k.bytes[i] > k.bytes[most] ? i : most;
        if (k.bytes[most] * 1000 / SPANS >= 5)
            printf("  %-36s %8.3f bytes/span\n", k.name[most], (double)k.bytes[most] / SPANS);
        k.bytes[most] = 0;
    }
}

/* ---- reading ----------------------------------------------------------------------------- */

static void touch_key(void *context, struct batch_str key)
{
    struct block *b = context;
    const struct block_attribute *a = block_attribute(b, BLOCK_SPAN, key.bytes, key.length);
    check(a && block_attribute_rows(b, a), "damaged");
}

static double decode_groups(struct segment *s, bool attributes)
{
    double begin = measure_cpu_ns();
    for (uint32_t i = 0; i < segment_summary(s)->groups; i++) {
        struct block *b = segment_group(s, i);
        for (enum block_u64 c = 0; c < BLOCK_U64S; c++)
            check(block_u64(b, c), "damaged");
        for (enum block_u32 c = 0; c < BLOCK_U32S; c++)
            check(block_u32(b, c), "damaged");
        for (enum block_u8 c = 0; c < BLOCK_U8S; c++)
            check(block_u8(b, c), "damaged");
        check(block_strings(b) && block_processes(b), "damaged");
        if (attributes)
            check(block_keys(b, BLOCK_SPAN, touch_key, b), "damaged");
        block_close(&b);
    }
    return (measure_cpu_ns() - begin) / SPANS;
}

static double read_batches(struct segment *s)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    double begin = measure_cpu_ns();
    for (uint32_t i = 0; i < segment_summary(s)->groups; i++) {
        struct batch *b;
        const uint32_t *parents;
        arena_reset(&arena);
        check(segment_group_batch(s, i, &arena, &b, &parents) == SEGMENT_OK, "damaged");
    }
    double ns = (measure_cpu_ns() - begin) / SPANS;
    arena_fini(&arena);
    return ns;
}

static void find_some(struct segment *s, const struct input *in, const uint32_t *first,
                      uint32_t traces, bool details)
{
    static double us[FINDS];
    struct arena arena;
    size_t bytes = 0;
    arena_init(&arena, 1 << 14);
    for (uint32_t i = 0; i < FINDS; i++) {
        struct span_run *runs;
        size_t count;
        struct trace_id id = id_of(&in->rows[first[(uint64_t)i * 7919 % traces]]);
        double begin = measure_wall_ns();
        check(segment_find(s, id, details, &arena, &runs, &count) == SEGMENT_OK && count == 1,
              "a trace is not found");
        us[i] = (measure_wall_ns() - begin) / 1000;
        bytes += arena.total_bytes;
        arena_fini(&arena);
    }
    printf("  find a trace %-24s %8.0f us median, %.0f us p99, %zu bytes\n",
           details ? "with details" : "without details", measure_quantile(us, FINDS, 0.5),
           measure_quantile(us, FINDS, 0.99), bytes / FINDS);
}

/* What an equality on an attribute reads of each group. */
static void scan_attribute(struct segment *s, const char *key)
{
    double begin = measure_cpu_ns();
    uint32_t groups = segment_summary(s)->groups, found = 0;
    for (uint32_t i = 0; i < groups; i++) {
        struct block *b = segment_group(s, i);
        const struct block_strings *strings = block_strings(b);
        const struct block_attribute *a = block_attribute(b, BLOCK_SPAN, key, strlen(key));
        check(strings && a, "damaged");
        for (uint32_t k = 0; k < a->count; k++)
            found += a->value[k] == 777;
        block_close(&b);
    }
    printf("  strings and attribute %-15s %8.0f us a group\n", key,
           (measure_cpu_ns() - begin) / 1000 / groups);
    check(found != UINT32_MAX, "?");
}

static void run(enum workload_kind kind)
{
    struct input in;
    struct segment_summary summary;
    uint32_t traces;
    int error, fd = memfd_create("segment", MFD_CLOEXEC);
    char why[200];
    make_input(&in, kind);
    uint32_t *first = find_traces(&in, &traces);
    double write_ns = write_segment(&in, first, traces, fd, &summary);
    struct segment *s = segment_open(fd, &error, why, sizeof why);
    check(s, why);
    printf("%s: %d spans in %" PRIu32 " traces, %" PRIu32 " groups\n", workload_name(kind), SPANS,
           traces, summary.groups);
    printf("  %-36s %8.1f ns/span\n", "write", write_ns);
    printf("  %-36s %8.3f bytes/span\n", "file", (double)summary.file_bytes / SPANS);
    print_bytes(s);
    printf("  %-36s %8.1f ns/span\n", "decode columns of rows", decode_groups(s, false));
    printf("  %-36s %8.1f ns/span\n", "decode everything", decode_groups(s, true));
    printf("  %-36s %8.1f ns/span\n", "groups as batches", read_batches(s));
    find_some(s, &in, first, traces, false);
    find_some(s, &in, first, traces, true);
    scan_attribute(s, kind == WORKLOAD_ELEVEN ? "app.key.7" : "user");
    printf("  %-36s %8zu bytes\n", "resident", segment_resident_bytes(s));
    segment_close(&s);
    arena_fini(&in.arena);
    free(first);
    free(in.rows);
}

int main(void)
{
    for (enum workload_kind kind = 0; kind < WORKLOADS; kind++)
        run(kind);
    return 0;
}

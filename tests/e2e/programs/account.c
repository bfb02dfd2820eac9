// SPDX-License-Identifier: Apache-2.0
/* The accountant: holds the worklogs of services against a ledger.
 *
 *   account LEDGER [WORKLOG...]
 *
 * LEDGER is a copy of the collector's directory, or the directory of one that has stopped. Prints
 * one line of JSON, all of it counts:
 *
 *   batches, spans          in the ledger
 *   repeated_batches        whose agent, epoch and number stood there before
 *   distinct, repeated      span ids; those that came more than once
 *   died                    spans with that status
 *   ended, begun, reserved, unrecorded    what the worklogs say of theirs
 *   missing_ended, missing_begun          of those, not in the ledger
 *   ended_but_died          said to have ended, told as died
 *   garbled                 that carry another number than their entry
 *   strangers, strangers_died             in the ledger, of no worklog */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/ledger/ledger.h"
#include "lib/codec/batch.h"
#include "tests/e2e/programs/worklog.h"

struct found {
    uint64_t id;
    uint64_t number; /* the attribute; UINT64_MAX: there is none */
    uint32_t seen;
    uint8_t status;
};

struct account {
    struct found *spans;
    size_t count, capacity;
    struct sequence_seen {
        char agent[LINK_AGENT_ID_MAX + 1];
        struct link_sequence sequence;
    } * batches;
    size_t batch_count, batch_capacity;
    uint64_t undecodable, repeated_batches, repeated, died;
    uint64_t states[4], missing_ended, missing_begun, ended_but_died, garbled, known, known_died;
};

static void *grown(void *items, size_t *capacity, size_t count, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? *capacity * 2 : 1 << 16;
    items = realloc(items, *capacity * size);
    if (!items)
        abort();
    return items;
}

/* ---- the ledger -------------------------------------------------------------------------- */

static uint64_t number_of(const struct batch *b, uint32_t row)
{
    for (uint32_t i = 0; i < b->attribute_count[row]; i++) {
        uint32_t at = b->attribute_first[row] + i;
        struct batch_str key = b->strings[b->attributes.key[at]];
        if (key.length == 6 && memcmp(key.bytes, "number", 6) == 0)
            return b->attributes.value[at];
    }
    return UINT64_MAX;
}

static bool on_batch(void *context, const struct frame *frame, const struct ledger_told *told)
{
    struct account *a = context;
    (void)told;
    a->batches = grown(a->batches, &a->batch_capacity, a->batch_count, sizeof *a->batches);
    struct sequence_seen *seen = &a->batches[a->batch_count++];
    memset(seen, 0, sizeof *seen);
    strcpy(seen->agent, frame->agent);
    seen->sequence = frame->sequence;

    int error;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct batch *b = batch_decode(&arena, frame->body, frame->length, 64 << 20, &error);
    if (!b)
        a->undecodable++;
    for (uint32_t i = 0; b && i < b->span_count; i++) {
        a->spans = grown(a->spans, &a->capacity, a->count, sizeof *a->spans);
        a->spans[a->count++] = (struct found){b->span_id[i], number_of(b, i), 1, b->status[i]};
    }
    arena_fini(&arena);
    return true;
}

static int on_state(void *context, struct bytes_reader *state)
{
    (void)context;
    (void)state;
    return 0;
}

static void write_state(void *context, struct buffer *out)
{
    (void)context;
    (void)out;
}

static void read_ledger(struct account *a, const char *directory)
{
    char why[512];
    struct ledger_read_stats stats;
    struct ledger_options options = {.directory = directory,
                                     .limit_bytes = INT64_MAX,
                                     .segment_bytes = 1 << 30,
                                     .write_state = write_state};
    struct ledger_reading reading = {.state = on_state, .batch = on_batch, .context = a};
    struct ledger *ledger = ledger_open(&options, why, sizeof why);
    int error = ledger ? ledger_read_back(ledger, &reading, &stats) : -1;
    if (error != 0) {
        fprintf(stderr, "account: %s: %s\n", directory, ledger ? strerror(-error) : why);
        exit(1);
    }
    ledger_close(&ledger);
}

/* ---- sums -------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int by_sequence(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct sequence_seen));
}

static void merge_equals(struct account *a)
{
    size_t kept = 0;
    qsort(a->spans, a->count, sizeof *a->spans, by_id);
    for (size_t i = 0; i < a->count; i++) {
        a->died += a->spans[i].status == SPAN_DIED;
        if (kept && a->spans[kept - 1].id == a->spans[i].id) {
            a->repeated++;
            a->spans[kept - 1].seen++;
        } else {
            a->spans[kept++] = a->spans[i];
        }
    }
    a->count = kept;
    qsort(a->batches, a->batch_count, sizeof *a->batches, by_sequence);
    for (size_t i = 1; i < a->batch_count; i++)
        a->repeated_batches += by_sequence(&a->batches[i - 1], &a->batches[i]) == 0;
}

static void compare(struct account *a, const struct worklog_entry *e, uint64_t number)
{
    uint64_t state = atomic_load(&e->state) & 3;
    a->states[state]++;
    if (state != WORKLOG_BEGUN && state != WORKLOG_ENDED)
        return;
    struct found key = {.id = e->span_id};
    struct found *span = a->count ? bsearch(&key, a->spans, a->count, sizeof key, by_id) : NULL;
    if (!span) {
        a->missing_ended += state == WORKLOG_ENDED;
        a->missing_begun += state == WORKLOG_BEGUN;
        return;
    }
    bool died = span->status == SPAN_DIED;
    a->known++;
    a->known_died += died;
    a->ended_but_died += state == WORKLOG_ENDED && died;
    a->garbled += state == WORKLOG_ENDED && span->number != number;
}

static void read_worklog(struct account *a, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return; /* killed before it made one */
    if ((size_t)st.st_size >= sizeof(struct worklog)) {
        const struct worklog *log = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (log == MAP_FAILED)
            abort();
        uint64_t used = atomic_load(&log->used);
        if (used > log->capacity)
            used = log->capacity;
        for (uint64_t i = 0; i < used; i++)
            compare(a, &log->entries[i], i);
        munmap((void *)(uintptr_t)log, (size_t)st.st_size);
    }
    close(fd);
}

static void print(const struct account *a, uint64_t spans)
{
    const struct {
        const char *name;
        uint64_t value;
    } sums[] = {
        {"batches", a->batch_count},
        {"undecodable", a->undecodable},
        {"spans", spans},
        {"repeated_batches", a->repeated_batches},
        {"distinct", a->count},
        {"repeated", a->repeated},
        {"died", a->died},
        {"ended", a->states[WORKLOG_ENDED]},
        {"begun", a->states[WORKLOG_BEGUN]},
        {"reserved", a->states[WORKLOG_RESERVED]},
        {"unrecorded", a->states[WORKLOG_UNRECORDED]},
        {"missing_ended", a->missing_ended},
        {"missing_begun", a->missing_begun},
        {"ended_but_died", a->ended_but_died},
        {"garbled", a->garbled},
        {"strangers", a->count - a->known},
        {"strangers_died", a->died - a->known_died},
    };
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        printf("%s\"%s\":%lu", i ? "," : "{", sums[i].name, (unsigned long)sums[i].value);
    printf("}\n");
}

int main(int argc, char **argv)
{
    static struct account a;
    if (argc < 2) {
        fprintf(stderr, "usage: account LEDGER [WORKLOG...]\n");
        return 2;
    }
    read_ledger(&a, argv[1]);
    uint64_t spans = a.count;
    merge_equals(&a);
    for (int i = 2; i < argc; i++)
        read_worklog(&a, argv[i]);
    print(&a, spans);
    free(a.spans);
    free(a.batches);
    return 0;
}

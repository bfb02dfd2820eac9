// SPDX-License-Identifier: Apache-2.0
/* Every commit order, at every instruction, and after kills at random moments.
 *
 * Single-stepping: a child records a script of spans while this process steps it with ptrace and,
 * after each instruction, reads its slab as the agent reads that of a dead process. Then:
 *   - every span that was ever seen is seen again, exactly once, until the end;
 *   - what it says is a prefix of what the script says, never half an item, never less than
 *     before; an ended span says all of it.
 * Random kills: children record as fast as they can and are killed after a random while; what
 * they left must be spans of the script, each once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/slab_fixture.h"
#include "weft/weft.h"

enum { SPANS = 12, KILLS = 150, ITEMS = 7 };

/* ---- the script -------------------------------------------------------------------------- */

enum { TEXT_BYTES = 24 };

/* Digits that tell which span wrote them: a slot still holds what the one before it wrote. */
static void write_text(char text[TEXT_BYTES], uint64_t i)
{
    for (int k = 0; k < TEXT_BYTES; k++)
        text[k] = (char)('0' + (i >> (k % 16) & 7));
}

static int connection; /* on loopback, which nobody accepts */

static void connect_to_ourselves(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof in;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    connection = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&in, bytes) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&in, &bytes) != 0 ||
        connect(connection, (struct sockaddr *)&in, bytes) != 0)
        abort();
}

/* Items in order: int, string, event, nested int, status message, bool, connection. */
static void say_everything(weft_span span, int i)
{
    char text[TEXT_BYTES];
    write_text(text, (uint64_t)i);
    weft_set_int(span, WEFT_NAME("i"), i);
    weft_set_string_n(span, WEFT_NAME("text"), text, sizeof text);
    const struct weft_attribute nested = {WEFT_NAME("try"), WEFT_TYPE_INT, {.integer = i}, 0};
    weft_event(span, WEFT_NAME("retry"), &nested, 1);
    weft_set_status(span, WEFT_ERROR, "failed");
    weft_set_bool(span, WEFT_NAME("done"), 1);
    weft_span_peer(span, connection);
}

static void record_pair(int i)
{
    weft_span outer = weft_begin(WEFT_NAME("outer"), WEFT_SERVER);
    weft_span inner = weft_begin(WEFT_NAME("inner"), WEFT_CLIENT);
    say_everything(inner, 2 * i + 1);
    weft_end(inner);
    say_everything(outer, 2 * i + 2);
    weft_end(outer);
}

/* Whether an item's value is what a span with number i says. */
static bool value_is(int n, const struct slab_item_view *item, uint64_t i)
{
    char text[TEXT_BYTES];
    uint64_t word;
    memcpy(&word, item->value, sizeof word < item->length ? sizeof word : item->length);
    write_text(text, i);
    switch (n) {
    case 1:
        return memcmp(item->value, text, sizeof text) == 0;
    case 2:
        return word != 0;
    case 3:
        return word == i;
    case 4:
        return memcmp(item->value, "failed", item->length) == 0;
    case 6:
        return memcmp(item->value, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16) == 0;
    default:
        return n != 5 || word == 1;
    }
}

/* How many items of the script a payload holds; -1 if it is no prefix of it. *number: the span's,
 * if it says one. */
static int items_said(const struct slab_record *record, uint64_t *number)
{
    const uint8_t types[ITEMS] = {SLAB_ITEM_INT, SLAB_ITEM_STRING,         SLAB_ITEM_EVENT,
                                  SLAB_ITEM_INT, SLAB_ITEM_STATUS_MESSAGE, SLAB_ITEM_BOOL,
                                  SLAB_ITEM_PEER};
    const uint16_t lengths[ITEMS] = {8, TEXT_BYTES, 8, 8, 6, 8, sizeof(struct slab_peer)};
    struct slab_walk walk = slab_walk(record->payload, record->used);
    struct slab_item_view item;
    int n = 0;
    *number = 0;
    for (; slab_item_next(&walk, &item); n++) {
        if (n == ITEMS || item.type != types[n] || item.length != lengths[n])
            return -1;
        if (n == 0)
            memcpy(number, item.value, sizeof *number);
        if (!value_is(n, &item, *number))
            return -1;
    }
    if (n == 3) /* an event without what belongs to it */
        return -1;
    return walk.at == walk.end ? n : -1;
}

/* ---- what is seen ------------------------------------------------------------------------ */

struct sight {
    uint64_t id, number;
    int items;
    bool ended;
};

struct sights {
    struct sight all[SPANS * 2 + 8];
    size_t count;
    const char *wrong;
};

static void look(void *context, const struct slab_record *record)
{
    struct sights *s = context;
    uint64_t number;
    int items = items_said(record, &number);
    if (items < 0)
        s->wrong = "a payload that the script never wrote";
    else if (!record->open && items != ITEMS && record->used != 0)
        s->wrong = "an ended span that does not say all";
    for (size_t i = 0; i < s->count; i++)
        if (s->all[i].id == record->span.span_id)
            s->wrong = "a span twice";
    if (s->count < sizeof s->all / sizeof *s->all)
        s->all[s->count++] = (struct sight){record->span.span_id, number, items, !record->open};
}

/* As the agent takes a dead process' file: rings to their ends, then slots. */
static void read_as_dead(struct sights *s)
{
    enum slab_error error;
    bool more;
    s->count = 0;
    struct slab_reader *r = fixture_open(fixture_file(0), &error);
    if (!r) {
        s->wrong = "no file";
        return;
    }
    if (slab_sweep(r, look, s, SIZE_MAX, &more) != SLAB_OK ||
        slab_look(r, true, look, s) != SLAB_OK)
        s->wrong = "an error of the reader";
    slab_reader_close(&r);
}

static const struct sight *find(const struct sights *s, uint64_t id)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->all[i].id == id)
            return &s->all[i];
    return NULL;
}

static void compare(const struct sights *before, struct sights *now)
{
    for (size_t i = 0; i < before->count; i++) {
        const struct sight *was = &before->all[i], *is = find(now, was->id);
        if (!is)
            now->wrong = "a span that is gone";
        else if (is->items < was->items || (was->ended && !is->ended))
            now->wrong = "a span that says less than before";
        else if (was->items > 0 && is->number != was->number)
            now->wrong = "a span that says something else than before";
    }
}

/* ---- single steps ------------------------------------------------------------------------ */

static uint64_t losses_of_the_ring(void)
{
    struct weft_losses losses;
    weft_get_losses(&losses);
    return losses.ring_full;
}

static void stepped_child(bool ring_is_full)
{
    weft_end(weft_begin(WEFT_NAME("first"), WEFT_INTERNAL)); /* the slow way, once */
    for (int i = 0; i < 2; i++)
        record_pair(0); /* names interned, calls bound */
    while (ring_is_full && losses_of_the_ring() == 0)
        record_pair(0);
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    for (int i = 0; i < SPANS / 2; i++)
        record_pair(i);
    raise(SIGSTOP);
    _exit(0);
}

/* Steps until the child stops itself again. The number of steps. */
static long step_through(pid_t pid, struct sights *wrong)
{
    struct sights before = {.count = 0}, now;
    int status;
    long steps = 0;
    for (;; steps++) {
        if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) != 0 || waitpid(pid, &status, 0) != pid ||
            !WIFSTOPPED(status) || WSTOPSIG(status) == SIGSTOP)
            return steps;
        now.wrong = NULL;
        read_as_dead(&now);
        compare(&before, &now);
        if (now.wrong) {
            *wrong = now;
            return steps;
        }
        before = now;
    }
}

/* *end: what is seen when the child has stopped itself. */
static long step_child(bool ring_is_full, struct sights *end)
{
    fixture_begin();
    setenv("WEFT_SLOTS", "4", 1);
    setenv("WEFT_RING_BYTES", "65536", 1);
    pid_t pid = fork();
    if (pid == 0)
        stepped_child(ring_is_full);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSTOPPED(status));
    struct sights wrong = {.wrong = NULL};
    long steps = step_through(pid, &wrong);
    end->wrong = NULL;
    read_as_dead(end);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    fixture_end();
    print_message("%ld instructions\n", steps);
    if (wrong.wrong)
        fail_msg("after instruction %ld: %s", steps, wrong.wrong);
    return steps;
}

static void every_instruction_leaves_each_span_whole_and_once(void **state)
{
    (void)state;
    struct sights end;
    assert_true(step_child(false, &end) > 5000);
    assert_int_equal(end.count, 5 + SPANS);
}

/* Spans are lost then, but nothing in a slot is ever half gone. */
static void every_instruction_is_sound_where_the_ring_is_full(void **state)
{
    (void)state;
    struct sights end;
    assert_true(step_child(true, &end) > 5000);
    assert_null(end.wrong);
}

/* ---- random kills ------------------------------------------------------------------------ */

static void record_for_ever(void)
{
    for (int i = 0;; i++)
        record_pair(i);
}

static void *other_thread(void *context)
{
    record_for_ever();
    return context;
}

static void killed_child(int ready)
{
    pthread_t other;
    pthread_create(&other, NULL, other_thread, NULL);
    record_pair(0);
    if (write(ready, "x", 1) != 1)
        _exit(1);
    record_for_ever();
}

struct tally {
    uint64_t ids[SEEN_MAX];
    size_t count, open;
    const char *wrong;
};

static void count(void *context, const struct slab_record *record)
{
    struct tally *t = context;
    uint64_t number;
    int items = items_said(record, &number);
    if (items < 0 || (!record->open && items != ITEMS))
        t->wrong = "a payload that the script never wrote";
    if (t->count < SEEN_MAX)
        t->ids[t->count++] = record->span.span_id;
    t->open += record->open;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void kill_one(struct tally *t, unsigned random)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    fixture_begin();
    pid_t pid = fork();
    if (pid == 0)
        killed_child(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    struct timespec pause = {.tv_nsec = random % 500000};
    nanosleep(&pause, NULL); /* a moment of no choosing: in it lies what is tested */
    kill(pid, SIGKILL);
    int status;
    waitpid(pid, &status, 0);
    close(ready[0]);
    close(ready[1]);

    enum slab_error error;
    bool more;
    struct slab_reader *r = fixture_open(fixture_file(0), &error);
    assert_non_null(r);
    t->count = 0;
    assert_int_equal(slab_sweep(r, count, t, SIZE_MAX, &more), SLAB_OK);
    assert_int_equal(slab_look(r, true, count, t), SLAB_OK);
    slab_reader_close(&r);
    fixture_end();
}

static void killed_process_leaves_each_span_whole_and_once(void **state)
{
    (void)state;
    static struct tally t;
    setenv("WEFT_SLOTS", "8", 1);
    setenv("WEFT_RING_BYTES", "1048576", 1);
    for (int i = 0; i < KILLS; i++) {
        kill_one(&t, (unsigned)i * 2654435761u);
        if (t.wrong)
            fail_msg("kill %d: %s", i, t.wrong);
        qsort(t.ids, t.count, sizeof *t.ids, by_value);
        for (size_t k = 1; k < t.count; k++)
            assert_true(t.ids[k] != t.ids[k - 1]);
    }
    assert_true(t.open > 0); /* some did die with a span open */
}

int main(void)
{
    connect_to_ourselves();
    guard_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instruction_leaves_each_span_whole_and_once),
        cmocka_unit_test(every_instruction_is_sound_where_the_ring_is_full),
        cmocka_unit_test(killed_process_leaves_each_span_whole_and_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

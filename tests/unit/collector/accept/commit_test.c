// SPDX-License-Identifier: Apache-2.0
/* The way of a batch without a network: what is answered, what is in the ledger and what can be
 * asked for, before and after a restart, and while the disk takes nothing. */
#include "collector/accept/commit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "collector/query/query.h"
#include "lib/model/loss.h"
#include "tests/unit/collector/spans.h"
#include "tests/unit/directory.h"
#include "tests/unit/eventually.h"

enum { ANSWERS_MAX = 256 };

struct fixture {
    char directory[64], ledger[80], traces[80], series[80];
    struct stores stores;
    struct queue queue;
    struct freshness freshness;
    struct commit commit;
    pthread_mutex_t lock;
    struct {
        uint64_t number;
        enum link_verdict verdict;
    } answers[ANSWERS_MAX];
    size_t answer_count;
    struct buffer bodies[ANSWERS_MAX];
    size_t body_count;
};

static void on_settle(void *context, struct link_request *request, enum link_verdict verdict,
                      const char *text)
{
    struct fixture *f = context;
    (void)text;
    pthread_mutex_lock(&f->lock);
    assert_true(f->answer_count < ANSWERS_MAX);
    f->answers[f->answer_count].number = request->sequence.number;
    f->answers[f->answer_count++].verdict = verdict;
    pthread_mutex_unlock(&f->lock);
}

static void write_state(void *context, struct buffer *out)
{
    struct fixture *f = context;
    commit_write_state(&f->commit.parts, out);
}

static void start(struct fixture *f)
{
    char why[256] = "";
    stores_init(&f->stores);
    f->stores.traces = store_open(
        &(struct store_options){.directory = f->traces, .head_bytes = 64 << 20}, why, sizeof why);
    f->stores.series =
        series_store_open(&(struct series_store_options){.directory = f->series}, why, sizeof why);
    queue_init(&f->queue);
    freshness_init(&f->freshness);
    struct commit_parts parts = {
        .queue = &f->queue,
        .dedupe = dedupe_create(),
        .stores = &f->stores,
        .losses = losses_create(),
        .freshness = &f->freshness,
        .agents = agents_create(),
        .settle = on_settle,
        .context = f,
    };
    commit_init(&f->commit, &parts);
    f->commit.parts.ledger = ledger_open(&(struct ledger_options){.directory = f->ledger,
                                                                  .limit_bytes = 256 << 10,
                                                                  .segment_bytes = 64 << 10,
                                                                  .write_state = write_state,
                                                                  .context = f},
                                         why, sizeof why);
    if (!f->commit.parts.ledger)
        fail_msg("%s", why);
    assert_int_equal(commit_read_back(&f->commit), 0);
}

/* As after a kill -9: nothing is written on the way out. */
static void stop(struct fixture *f)
{
    struct commit_parts *p = &f->commit.parts;
    ledger_close(&p->ledger);
    series_store_close(&f->stores.series);
    store_close(&f->stores.traces);
    stores_fini(&f->stores);
    dedupe_destroy(&p->dedupe);
    losses_destroy(&p->losses);
    agents_destroy(&p->agents);
    freshness_fini(&f->freshness);
    queue_fini(&f->queue);
    for (size_t i = 0; i < f->body_count; i++)
        buffer_fini(&f->bodies[i]);
    f->body_count = f->answer_count = 0;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    strcpy(f->directory, "/tmp/weft-commit-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->ledger, sizeof f->ledger, "%s/ledger", f->directory);
    snprintf(f->traces, sizeof f->traces, "%s/traces", f->directory);
    snprintf(f->series, sizeof f->series, "%s/series", f->directory);
    pthread_mutex_init(&f->lock, NULL);
    start(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    stop(f);
    assert_int_equal(directory_remove(f->directory), 0);
    pthread_mutex_destroy(&f->lock);
    free(f);
    return 0;
}

/* Trace `number` with one span, and a loss of `lost` spans. */
static struct queued batch_of(struct fixture *f, uint64_t number, uint64_t lost)
{
    struct spans s;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web");
    spans_add(&s, (struct span_by_hand){web, "x", .trace = number, .id = number});
    if (lost)
        batch_loss(s.builder, web, LOSS_RING_FULL, lost, EPOCH, EPOCH + MS);
    struct buffer *body = &f->bodies[f->body_count++];
    *body = spans_encode(&s);
    return (struct queued){.kind = FRAME_BATCH,
                           .request = {.type = LINK_BATCH,
                                       .agent = "box1",
                                       .sequence = {3, number},
                                       .body = body->data,
                                       .length = body->length}};
}

static enum dedupe_verdict begin(struct fixture *f, struct queued *q)
{
    return dedupe_begin(f->commit.parts.dedupe, q->request.agent, q->request.sequence,
                        (struct link_sequence){0});
}

static void commit_one(struct fixture *f, uint64_t number, uint64_t lost)
{
    struct queued q = batch_of(f, number, lost);
    assert_int_equal(begin(f, &q), DEDUPE_NEW);
    commit_group(&f->commit, &q, 1);
}

static void assert_answer(struct fixture *f, size_t at, uint64_t number, enum link_verdict verdict)
{
    assert_true(at < f->answer_count);
    assert_int_equal(f->answers[at].number, number);
    assert_int_equal(f->answers[at].verdict, verdict);
}

static bool is_visible(struct fixture *f, uint64_t trace)
{
    struct store_hold hold;
    struct span_run *runs;
    size_t count;
    struct arena arena;
    arena_init(&arena, 4096);
    store_hold(f->stores.traces, &hold);
    assert_int_equal(store_find(&hold, trace_by_hand(trace), true, &arena, &runs, &count), 0);
    free(runs);
    arena_fini(&arena);
    store_release(&hold);
    assert_true(count <= 1); /* exactly once */
    return count == 1;
}

static void an_accepted_batch_is_visible_and_survives_a_restart_once(void **state)
{
    struct fixture *f = *state;
    commit_one(f, 1, 0);
    commit_one(f, 2, 5);
    assert_answer(f, 0, 1, LINK_ACCEPTED);
    assert_answer(f, 1, 2, LINK_ACCEPTED);
    assert_true(is_visible(f, 1) && is_visible(f, 2));
    for (int i = 0; i < 2; i++) {
        stop(f);
        start(f);
        assert_true(is_visible(f, 1) && is_visible(f, 2));
        struct queued again = batch_of(f, 2, 5);
        assert_int_equal(begin(f, &again), DEDUPE_SEEN);
        assert_int_equal(losses_total(f->commit.parts.losses, LOSS_RING_FULL), 5);
    }
}

static void dropping_old_segments_forgets_neither_batches_nor_losses(void **state)
{
    struct fixture *f = *state;
    uint64_t batches = 0;
    struct ledger_stats stats;
    do {
        for (int i = 0; i < 50; i++)
            commit_one(f, ++batches, 1);
        ledger_retain(f->commit.parts.ledger, UINT64_MAX, EPOCH);
        ledger_stats(f->commit.parts.ledger, &stats);
        for (size_t i = 0; i < f->body_count; i++)
            buffer_fini(&f->bodies[i]);
        f->body_count = f->answer_count = 0;
    } while (stats.dropped_segments < 3);
    stop(f);
    start(f);
    assert_int_equal(losses_total(f->commit.parts.losses, LOSS_RING_FULL), batches);
    assert_false(is_visible(f, 1));
    assert_true(is_visible(f, batches));
    assert_true(dedupe_has(f->commit.parts.dedupe, "box1", (struct link_sequence){3, 1}));
    assert_true(dedupe_has(f->commit.parts.dedupe, "box1", (struct link_sequence){3, batches}));
}

static void a_copy_in_flight_is_answered_behind_the_first(void **state)
{
    struct fixture *f = *state;
    struct queued group[2] = {batch_of(f, 1, 0)};
    group[1] = group[0];
    group[1].copy = true;
    assert_int_equal(begin(f, &group[0]), DEDUPE_NEW);
    assert_int_equal(begin(f, &group[1]), DEDUPE_PENDING);
    commit_group(&f->commit, group, 2);
    assert_answer(f, 0, 1, LINK_ACCEPTED);
    assert_answer(f, 1, 1, LINK_DUPLICATE);
    assert_true(is_visible(f, 1));
}

static void what_does_not_decode_is_refused_and_counted(void **state)
{
    struct fixture *f = *state;
    struct queued group[2] = {batch_of(f, 1, 0), batch_of(f, 2, 0)};
    group[0].request.length /= 2;
    assert_int_equal(begin(f, &group[0]), DEDUPE_NEW);
    assert_int_equal(begin(f, &group[1]), DEDUPE_NEW);
    commit_group(&f->commit, group, 2);
    assert_answer(f, 0, 1, LINK_REFUSED);
    assert_answer(f, 1, 2, LINK_ACCEPTED);
    assert_int_equal(losses_total(f->commit.parts.losses, LOSS_BAD_BATCH), 1);
    assert_false(dedupe_has(f->commit.parts.dedupe, "box1", (struct link_sequence){3, 1}));
}

static void *run(void *context)
{
    commit_run(context);
    return NULL;
}

static size_t answers_of(struct fixture *f)
{
    pthread_mutex_lock(&f->lock);
    size_t answers = f->answer_count;
    pthread_mutex_unlock(&f->lock);
    return answers;
}

static size_t wait_for_answers(struct fixture *f, size_t count)
{
    EVENTUALLY(answers_of(f) >= count);
    return answers_of(f);
}

static enum ledger_health health_of(struct fixture *f)
{
    struct ledger_stats stats;
    ledger_stats(f->commit.parts.ledger, &stats);
    return stats.health;
}

/* A limit on file size stands in for the full disk: the kernel refuses to write in both cases,
 * and this one can be had without a mount. */
static void set_disk(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_disk_that_takes_nothing_is_waited_for(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;
    signal(SIGXFSZ, SIG_IGN);
    commit_one(f, 1, 0);
    set_disk(100);
    struct queued q = batch_of(f, 2, 0);
    assert_int_equal(begin(f, &q), DEDUPE_NEW);
    assert_true(queue_put(&f->queue, &q));
    assert_int_equal(pthread_create(&thread, NULL, run, &f->commit), 0);
    EVENTUALLY(health_of(f) != LEDGER_OK);
    assert_int_equal(f->answer_count, 1); /* nothing was acknowledged */
    assert_false(is_visible(f, 2));
    set_disk(RLIM_INFINITY);
    assert_int_equal(wait_for_answers(f, 2), 2);
    queue_close(&f->queue);
    pthread_join(thread, NULL);
    assert_answer(f, 1, 2, LINK_ACCEPTED);
    assert_int_equal(health_of(f), LEDGER_OK);
    stop(f);
    start(f);
    assert_true(is_visible(f, 1) && is_visible(f, 2));
}

/* Stands in for the C library's (the linker's --wrap): a disk that loses what it took. */
static atomic_bool sync_fails;
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    if (!atomic_load(&sync_fails))
        return __real_fdatasync(fd);
    errno = EIO;
    return -1;
}

static void after_a_failed_sync_nothing_is_accepted_until_a_restart(void **state)
{
    struct fixture *f = *state;
    commit_one(f, 1, 0);
    atomic_store(&sync_fails, true);
    commit_one(f, 2, 0);
    atomic_store(&sync_fails, false); /* the kernel forgets; we must not */
    commit_one(f, 3, 0);
    assert_answer(f, 0, 1, LINK_ACCEPTED);
    assert_answer(f, 1, 2, LINK_BUSY);
    assert_answer(f, 2, 3, LINK_BUSY);
    assert_int_equal(health_of(f), LEDGER_FAILED);
    assert_false(is_visible(f, 2) || is_visible(f, 3));
    stop(f);
    start(f);
    assert_int_equal(health_of(f), LEDGER_OK);
    commit_one(f, 3, 0);
    assert_answer(f, 0, 3, LINK_ACCEPTED);
    assert_true(is_visible(f, 1) && is_visible(f, 3));
}

static void stopping_settles_all_that_was_queued(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;
    for (uint64_t n = 1; n <= 100; n++) {
        struct queued q = batch_of(f, n, 0);
        assert_int_equal(begin(f, &q), DEDUPE_NEW);
        assert_true(queue_put(&f->queue, &q));
    }
    queue_close(&f->queue);
    assert_int_equal(pthread_create(&thread, NULL, run, &f->commit), 0);
    pthread_join(thread, NULL);
    assert_int_equal(f->answer_count, 100);
    for (size_t i = 0; i < 100; i++)
        assert_answer(f, i, i + 1, LINK_ACCEPTED);
    stop(f);
    start(f);
    assert_true(is_visible(f, 1) && is_visible(f, 100));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(an_accepted_batch_is_visible_and_survives_a_restart_once),
        TEST(dropping_old_segments_forgets_neither_batches_nor_losses),
        TEST(a_copy_in_flight_is_answered_behind_the_first),
        TEST(what_does_not_decode_is_refused_and_counted),
        TEST(a_disk_that_takes_nothing_is_waited_for),
        TEST(after_a_failed_sync_nothing_is_accepted_until_a_restart),
        TEST(stopping_settles_all_that_was_queued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

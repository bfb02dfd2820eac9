// SPDX-License-Identifier: Apache-2.0
/* Many threads at once, for the sanitizers as well: clients of one app come and go while spans are
 * appended; each span reaches exactly one of them. */
#include <pthread.h>

#include "tests/unit/collector/firehose/stream.h"
#include "tests/unit/eventually.h"

enum { CLIENTS = 20, BATCHES = 600, BATCH_SPANS = 50 };

struct stress {
    struct stream_fixture *fixture;
    atomic_uint times[BATCHES * BATCH_SPANS + 1];
    atomic_uint received, refused;
    atomic_bool appended;
};

static void count_lines(struct stress *s, const struct buffer *out)
{
    const char *end = out->data + out->length;
    for (const char *at = out->data; at < end;
         at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1) {
        const char *id = memmem(at, (size_t)(end - at), "\"span_id\":\"", 11);
        const char *line = memchr(at, '\n', (size_t)(end - at));
        if (!id || id > line)
            continue;
        atomic_fetch_add(&s->times[strtoull(id + 11, NULL, 16)], 1);
        atomic_fetch_add(&s->received, 1);
    }
}

static void read_for_a_while(struct stress *s, struct firehose_client *c, struct wire *w,
                             unsigned blocks, uint64_t *random)
{
    struct buffer out = {0};
    bool more = true;
    for (unsigned i = 0; i < blocks && more; i++) {
        buffer_clear(&out);
        *random = *random * 6364136223846793005u + 1442695040888963407u;
        atomic_store(&w->behind, (unsigned)(*random >> 40) % 40000);
        more = firehose_next(c, &out);
        count_lines(s, &out);
    }
    atomic_store(&w->behind, 0);
    atomic_store(&w->left, true);
    buffer_clear(&out);
    more = firehose_next(c, &out); /* so it is told that all of it was written */
    if (more || out.length > 0)
        abort();
    buffer_fini(&out);
}

static bool all_received(const struct stress *s)
{
    return atomic_load(&s->appended) && atomic_load(&s->received) >= BATCHES * BATCH_SPANS;
}

static void *be_a_client(void *context)
{
    struct stress *s = context;
    uint64_t random = (uint64_t)(uintptr_t)&random;
    int64_t until_ms = clock_monotonic_ms() + 60000;
    while (!all_received(s) && clock_monotonic_ms() < until_ms) {
        struct firehose_request request = {
            .app = "a", .start = FIREHOSE_OLDEST, .format = &firehose_json};
        struct firehose_client *c;
        char why[256];
        random = random * 6364136223846793005u + 1442695040888963407u;
        if (firehose_attach(s->fixture->firehose, &request, &c, why, sizeof why) != FIREHOSE_OK) {
            atomic_fetch_add(&s->refused, 1);
            look_away();
            continue;
        }
        struct wire *w = calloc(1, sizeof *w);
        use_wire(c, w, false);
        read_for_a_while(s, c, w, (unsigned)(random >> 48) % 30, &random);
        firehose_detach(c);
    }
    return NULL;
}

static void *append_spans(void *context)
{
    struct stress *s = context;
    for (int i = 0; i < BATCHES; i++) {
        stream_append(s->fixture, BATCH_SPANS);
        look_away(); /* a stream, not a heap: clients come and go meanwhile */
    }
    atomic_store(&s->appended, true);
    return NULL;
}

static void *ask(void *context)
{
    struct stress *s = context;
    while (!all_received(s)) {
        struct firehose_counts counts;
        firehose_counts(s->fixture->firehose, &counts);
        look_away();
        if (counts.clients > 64)
            abort();
    }
    return NULL;
}

static void whoever_comes_and_goes_each_span_arrives_once(void **state)
{
    struct stream_fixture *f = *state;
    struct stress *s = calloc(1, sizeof *s);
    pthread_t threads[CLIENTS], appending, asking;
    s->fixture = f;
    assert_int_equal(pthread_create(&appending, NULL, append_spans, s), 0);
    assert_int_equal(pthread_create(&asking, NULL, ask, s), 0);
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, be_a_client, s), 0);
    pthread_join(appending, NULL);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    pthread_join(asking, NULL);
    wait_for_clients(f, 0);
    for (unsigned i = 1; i <= BATCHES * BATCH_SPANS; i++) {
        if (atomic_load(&s->times[i]) != 1)
            fail_msg("span %u came %u times", i, atomic_load(&s->times[i]));
    }
    assert_true(atomic_load(&s->refused) > 0); /* more than sixteen tried */
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whoever_comes_and_goes_each_span_arrives_once, stream_setup,
                                        stream_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

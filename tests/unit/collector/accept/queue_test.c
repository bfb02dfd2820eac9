// SPDX-License-Identifier: Apache-2.0
#include "collector/accept/queue.h"

#include <pthread.h>

#include "tests/unit/collector/spans.h"

static struct queued item(uint64_t number, size_t length)
{
    return (struct queued){.request = {.sequence = {1, number}, .length = length}};
}

static void items_come_out_in_order_and_in_portions(void **state)
{
    (void)state;
    static struct queue q;
    struct queued out[8];
    queue_init(&q);
    for (uint64_t n = 0; n < 10; n++) {
        struct queued i = item(n, 100);
        assert_true(queue_put(&q, &i));
    }
    assert_int_equal(queue_take(&q, out, 8, 250, 1000), 3); /* the third passes the bytes */
    assert_int_equal(out[2].request.sequence.number, 2);
    assert_int_equal(queue_take(&q, out, 2, 10000, 1000), 2);
    assert_int_equal(out[0].request.sequence.number, 3);
    assert_int_equal(queue_take(&q, out, 8, 10000, 1000), 5);
    assert_int_equal(queue_take(&q, out, 8, 10000, 1), 0);
    uint64_t requests, bytes;
    queue_size(&q, &requests, &bytes);
    assert_int_equal(requests, 0);
    assert_int_equal(bytes, 0);
    queue_fini(&q);
}

static void a_closed_queue_gives_what_it_has_and_takes_nothing(void **state)
{
    (void)state;
    static struct queue q;
    struct queued out[8], i = item(1, 1);
    queue_init(&q);
    assert_true(queue_put(&q, &i));
    queue_close(&q);
    assert_false(queue_put(&q, &i));
    assert_false(queue_is_done(&q));
    assert_int_equal(queue_take(&q, out, 8, 100, 1000), 1);
    assert_true(queue_is_done(&q));
    assert_int_equal(queue_take(&q, out, 8, 100, 60000), 0); /* does not wait */
    queue_fini(&q);
}

enum { MANY = 5000, LARGE = 1 << 20 };

static void *put_many(void *context)
{
    for (uint64_t n = 0; n < MANY; n++) {
        struct queued i = item(n, LARGE);
        if (!queue_put(context, &i))
            break;
    }
    queue_close(context);
    return NULL;
}

static void a_full_queue_holds_the_putter_back(void **state)
{
    (void)state;
    static struct queue q;
    struct queued out[8];
    pthread_t putter;
    uint64_t next = 0, requests, bytes;
    queue_init(&q);
    assert_int_equal(pthread_create(&putter, NULL, put_many, &q), 0);
    while (!queue_is_done(&q)) {
        queue_size(&q, &requests, &bytes);
        assert_true(bytes <= QUEUE_BYTES_MAX);
        size_t count = queue_take(&q, out, 8, SIZE_MAX, 1000);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(out[i].request.sequence.number, next++);
    }
    pthread_join(putter, NULL);
    assert_int_equal(next, MANY);
    queue_fini(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_order_and_in_portions),
        cmocka_unit_test(a_closed_queue_gives_what_it_has_and_takes_nothing),
        cmocka_unit_test(a_full_queue_holds_the_putter_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* What may be called from other threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "tests/unit/link/ends.h"

static void *receive_until_stopped(void *argument)
{
    struct fixture *f = argument;
    struct link_request request;
    assert_int_equal(link_server_receive(f->server, &request, 1000 * DEADLINE_MS), 0);
    return NULL;
}

static void stop_ends_a_receive_that_waits(void **state)
{
    struct fixture *f = *state;
    pthread_t receiver;
    start_server(f);
    pthread_create(&receiver, NULL, receive_until_stopped, f);
    link_server_stop(f->server);
    pthread_join(receiver, NULL);
}

static void *poll_until_woken(void *argument)
{
    struct fixture *f = argument;
    struct link_event event;
    assert_int_equal(link_client_poll(f->client, &event, 1000 * DEADLINE_MS), 0);
    return NULL;
}

static void wake_ends_a_poll_that_waits(void **state)
{
    struct fixture *f = *state;
    pthread_t poller;
    start_client(f);
    pthread_create(&poller, NULL, poll_until_woken, f);
    link_client_wake(f->client);
    pthread_join(poller, NULL);
}

struct answering {
    struct fixture *f;
    struct link_request requests[8];
};

static void *answer_all(void *argument)
{
    struct answering *a = argument;
    for (int i = 0; i < 8; i++) {
        link_server_answer(a->f->server, &a->requests[i], LINK_ACCEPTED, NULL);
        link_request_release(&a->requests[i]);
    }
    return NULL;
}

static void any_thread_may_answer(void **state)
{
    struct fixture *f = *state;
    struct answering answering[2] = {{.f = f}, {.f = f}};
    pthread_t threads[2];
    start_both(f);
    f->hold = true;
    for (unsigned i = 1; i <= 16; i++)
        assert_int_equal(send_batch(f, i), 0);
    TURN_UNTIL(f, f->held_count == 16);
    memcpy(answering[0].requests, f->held, 8 * sizeof *f->held);
    memcpy(answering[1].requests, f->held + 8, 8 * sizeof *f->held);
    f->held_count = 0;
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, answer_all, &answering[i]);
    TURN_UNTIL(f, f->answered == 16);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(stop_ends_a_receive_that_waits),
        TEST(wake_ends_a_poll_that_waits),
        TEST(any_thread_may_answer),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

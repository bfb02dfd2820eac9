// SPDX-License-Identifier: Apache-2.0
/* What agents send arrives, whatever happens to the other end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/link/envelope.h"
#include "tests/unit/link/ends.h"

/* ---- the good way ------------------------------------------------------------------------ */

static void a_batch_arrives_opened_and_its_answer_comes_back(void **state)
{
    struct fixture *f = *state;
    start_both(f);
    assert_int_equal(send_batch(f, 5), 0);
    TURN_UNTIL(f, f->answered == 1);
    assert_int_equal(f->seen[5], 1);
    assert_int_equal(f->answers[5], LINK_ACCEPTED);
    assert_string_equal(f->last_body, "batch 5");
    assert_int_equal(f->last_oldest.epoch, 1000);
    assert_int_equal(f->last_oldest.number, 1);
    struct link_client_status status = status_of(f);
    assert_int_equal(status.sent, 1);
    assert_int_equal(status.acknowledged, 1);
    assert_int_equal(status.in_flight, 0);
    assert_string_equal(status.problem, "");
}

static void many_are_in_flight_and_answers_in_a_burst_all_arrive(void **state)
{
    struct fixture *f = *state;
    start_both(f);
    f->hold = true;
    for (unsigned i = 1; i <= 16; i++)
        assert_int_equal(send_batch(f, i), 0);
    assert_int_equal(send_batch(f, 17), -1); /* no more than max_in_flight */
    TURN_UNTIL(f, f->held_count == 16);
    assert_int_equal(status_of(f).in_flight, 16);
    for (unsigned i = 16; i-- > 0;) {
        link_server_answer(f->server, &f->held[i], LINK_ACCEPTED, NULL);
        assert_null(f->held[i].ticket);
        link_request_release(&f->held[i]);
    }
    f->held_count = 0;
    TURN_UNTIL(f, f->answered == 16);
    assert_int_equal(status_of(f).resent, 0);
    assert_int_equal(send_batch(f, 17), 0);
}

static void reports_and_inflights_arrive_and_are_answered_within(void **state)
{
    struct fixture *f = *state;
    start_both(f);
    link_client_tell(f->client, LINK_REPORT, "numbers", 7);
    TURN_UNTIL(f, f->reports == 1);
    assert_string_equal(f->last_body, "numbers");
    link_client_tell(f->client, LINK_INFLIGHT, "open spans", 10);
    TURN_UNTIL(f, f->inflights == 1);
    assert_string_equal(f->last_body, "open spans");
}

static void an_open_link_works_on_loopback(void **state)
{
    struct fixture *f = *state;
    f->server_options.keys_directory = NULL;
    f->client_options.key_file = NULL;
    start_both(f);
    assert_int_equal(send_batch(f, 1), 0);
    TURN_UNTIL(f, f->answered == 1);
    assert_int_equal(f->answers[1], LINK_ACCEPTED);
}

static void it_works_over_ipv6_too(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool usable = fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof any) == 0;
    if (fd >= 0)
        close(fd);
    if (!usable)
        skip();
    const char *port = strrchr(f->address, ':'), *control_port = strrchr(f->control_address, ':');
    char address[64], control_address[64];
    snprintf(address, sizeof address, "tcp://[::1]%s", port);
    snprintf(control_address, sizeof control_address, "tcp://[::1]%s", control_port);
    strcpy(f->address, address);
    strcpy(f->control_address, control_address);
    start_both(f);
    assert_int_equal(send_batch(f, 1), 0);
    TURN_UNTIL(f, f->answered == 1);
}

static void messages_up_to_the_limit_pass_and_larger_ones_are_refused_here(void **state)
{
    struct fixture *f = *state;
    start_both(f);
    size_t length = LINK_BATCH_MAX - ENVELOPE_OVERHEAD_MOST;
    char *large = calloc(1, length + 4096);
    struct buffer sealed = {0};
    assert_int_equal(link_client_seal(f->client, sequence_of(1), large, length, &sealed), 0);
    assert_int_equal(
        link_client_send(f->client, sequence_of(1), sequence_of(1), sealed.data, sealed.length), 0);
    TURN_UNTIL(f, f->answered == 1);
    assert_int_equal(f->answers[1], LINK_ACCEPTED);
    buffer_clear(&sealed);
    assert_int_equal(link_client_seal(f->client, sequence_of(2), large, length + 4096, &sealed), 0);
    assert_int_equal(
        link_client_send(f->client, sequence_of(2), sequence_of(1), sealed.data, sealed.length), 0);
    TURN_UNTIL(f, f->answered == 2);
    assert_int_equal(f->answers[2], LINK_REFUSED);
    assert_int_equal(f->seen[2], 0);
    buffer_fini(&sealed);
    free(large);
}

/* ---- trouble ----------------------------------------------------------------------------- */

static void everything_arrives_though_the_collector_is_restarted(void **state)
{
    struct fixture *f = *state;
    start_both(f);
    unsigned next = 1;
    for (int restarts = 0; restarts < 3; restarts++) {
        unsigned goal = f->answered + 30;
        while (f->answered < goal) {
            while (next < BATCHES_MOST && send_batch(f, next) == 0)
                next++;
            turn(f);
        }
        link_server_destroy(&f->server);
        start_server(f);
    }
    while (next < BATCHES_MOST) {
        TURN_UNTIL(f, is_ready(f));
        while (next < BATCHES_MOST && send_batch(f, next) == 0)
            next++;
        turn(f);
    }
    TURN_UNTIL(f, f->answered == BATCHES_MOST - 1);
    for (unsigned i = 1; i < BATCHES_MOST; i++)
        assert_true(f->seen[i] >= 1);
    assert_true(status_of(f).reconnects >= 3);
}

static enum link_verdict busy_at_first(struct fixture *f, const struct link_request *request)
{
    return f->seen[request->sequence.number] < 3 ? LINK_BUSY : LINK_ACCEPTED;
}

static void a_busy_collector_gets_the_batch_again(void **state)
{
    struct fixture *f = *state;
    f->decide = busy_at_first;
    start_both(f);
    assert_int_equal(send_batch(f, 1), 0);
    TURN_UNTIL(f, f->answered == 1);
    assert_int_equal(f->seen[1], 3);
    assert_int_equal(status_of(f).resent, 2);
}

static void a_lost_answer_makes_it_come_again(void **state)
{
    struct fixture *f = *state;
    f->client_options.answer_timeout_ms = 100;
    start_both(f);
    f->hold = true;
    assert_int_equal(send_batch(f, 1), 0);
    TURN_UNTIL(f, f->held_count == 1);
    link_request_release(&f->held[0]); /* never answered */
    f->held_count = 0;
    f->hold = false;
    TURN_UNTIL(f, f->answered == 1);
    assert_int_equal(f->seen[1], 2);
}

static void a_collector_that_falls_silent_is_called_anew(void **state)
{
    struct fixture *f = *state;
    f->client_options.answer_timeout_ms = 100;
    start_both(f);
    assert_int_equal(send_batch(f, 1), 0);
    struct link_server *silent = f->server;
    f->server = NULL; /* it holds its port, but does nothing */
    TURN_UNTIL(f, !is_ready(f));
    assert_non_null(strstr(status_of(f).problem, "does not answer"));
    f->server = silent;
    TURN_UNTIL(f, f->answered == 1);
    assert_string_equal(status_of(f).problem, "");
}

static enum link_verdict refuse(struct fixture *f, const struct link_request *request)
{
    (void)f, (void)request;
    return LINK_REFUSED;
}

static void a_refused_batch_is_told_to_the_caller(void **state)
{
    struct fixture *f = *state;
    f->decide = refuse;
    start_both(f);
    assert_int_equal(send_batch(f, 1), 0);
    TURN_UNTIL(f, f->answered == 1);
    assert_int_equal(f->answers[1], LINK_REFUSED);
    assert_int_equal(status_of(f).refused, 1);
}

static void a_batch_sealed_before_there_was_a_key_is_sealed_now(void **state)
{
    struct fixture *f = *state;
    struct buffer open = {0};
    struct envelope e = {
        .version = LINK_VERSION, .type = LINK_SPOOLED, .agent = "box7", .sequence = sequence_of(9)};
    assert_int_equal(envelope_write(&open, &e, NULL, "batch 9", 7), 0);
    start_both(f);
    assert_int_equal(
        link_client_send(f->client, sequence_of(9), sequence_of(1), open.data, open.length), 0);
    TURN_UNTIL(f, f->answered == 1);
    assert_int_equal(f->answers[9], LINK_ACCEPTED);
    assert_string_equal(f->last_body, "batch 9");
    buffer_fini(&open);
}

static void a_batch_sealed_by_another_key_or_damaged_is_refused_for_good(void **state)
{
    struct fixture *f = *state;
    static const uint8_t old_key[LINK_KEY_BYTES] = {9};
    struct buffer sealed = {0};
    struct envelope e = {
        .version = LINK_VERSION, .type = LINK_SPOOLED, .agent = "box7", .sequence = sequence_of(9)};
    assert_int_equal(envelope_write(&sealed, &e, old_key, "batch 9", 7), 0);
    start_both(f);
    assert_int_equal(
        link_client_send(f->client, sequence_of(9), sequence_of(1), sealed.data, sealed.length), 0);
    assert_int_equal(link_client_send(f->client, sequence_of(10), sequence_of(1), "garbage", 7), 0);
    TURN_UNTIL(f, f->answered == 2);
    assert_int_equal(f->answers[9], LINK_REFUSED);
    assert_int_equal(f->answers[10], LINK_REFUSED);
    assert_int_equal(f->seen[9] + f->seen[10], 0);
    buffer_fini(&sealed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_batch_arrives_opened_and_its_answer_comes_back),
        TEST(many_are_in_flight_and_answers_in_a_burst_all_arrive),
        TEST(reports_and_inflights_arrive_and_are_answered_within),
        TEST(an_open_link_works_on_loopback),
        TEST(it_works_over_ipv6_too),
        TEST(messages_up_to_the_limit_pass_and_larger_ones_are_refused_here),
        TEST(everything_arrives_though_the_collector_is_restarted),
        TEST(a_busy_collector_gets_the_batch_again),
        TEST(a_lost_answer_makes_it_come_again),
        TEST(a_collector_that_falls_silent_is_called_anew),
        TEST(a_refused_batch_is_told_to_the_caller),
        TEST(a_batch_sealed_before_there_was_a_key_is_sealed_now),
        TEST(a_batch_sealed_by_another_key_or_damaged_is_refused_for_good),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Switches that the collector publishes, as agents hear of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <nanomsg/nn.h>
#include <nanomsg/pubsub.h>
#include <sodium.h>

#include "lib/link/socket.h"
#include "tests/unit/link/ends.h"

static void a_switch_reaches_those_who_are_connected_and_those_who_come_later(void **state)
{
    struct fixture *f = *state;
    start_both(f);
    assert_true(link_server_recording(f->server, "cell"));
    assert_int_equal(link_server_publish_recording(f->server, "cell", false), 0);
    assert_false(link_server_recording(f->server, "cell"));
    link_client_tell(f->client, LINK_REPORT, "", 0);
    TURN_UNTIL(f, !link_switches_on(&f->switches, "cell"));
    assert_true(link_switches_on(&f->switches, "web"));

    link_client_destroy(&f->client);
    memset(&f->switches, 0, sizeof f->switches);
    start_client(f);
    TURN_UNTIL(f, is_ready(f) && !link_switches_on(&f->switches, "cell"));
    assert_int_equal(link_server_publish_recording(f->server, "*", true), 0);
    TURN_UNTIL(f, link_switches_on(&f->switches, "cell"));
}

static void a_restarted_collector_that_knows_of_no_switch_turns_all_on(void **state)
{
    struct fixture *f = *state;
    start_both(f);
    link_server_publish_recording(f->server, "*", false);
    TURN_UNTIL(f, !link_switches_on(&f->switches, "cell"));
    link_server_destroy(&f->server);
    start_server(f);
    assert_int_equal(send_batch(f, 1), 0);
    TURN_UNTIL(f, link_switches_on(&f->switches, "cell"));
}

/* Somebody else listens on the control address and publishes what he likes; the agent believes
 * none of it, and hears of real switches by the answers to its reports. */
static void forged_control_is_ignored_and_lost_control_made_good(void **state)
{
    struct fixture *f = *state;
    char forged_address[64];
    uint8_t key[LINK_CONTROL_KEY_BYTES], secret[LINK_CONTROL_SECRET_BYTES];
    static struct link_switches all_off;
    struct buffer forged = {0};
    free_address(forged_address);
    int publisher = link_socket_open(NN_PUB, forged_address);
    assert_true(nn_bind(publisher, forged_address) >= 0);
    f->client_options.control_address = forged_address;
    start_both(f);
    TURN_UNTIL(f, nn_get_statistic(publisher, NN_STAT_ACCEPTED_CONNECTIONS) == 1);
    crypto_sign_keypair(key, secret);
    link_switches_set(&all_off, "*", false);
    assert_int_equal(link_control_write(&forged, &all_off, 99, secret), 0);
    struct link_piece piece = {forged.data, forged.length};
    assert_int_equal(link_socket_send(publisher, NULL, &piece, 1), 0);

    assert_int_equal(link_server_publish_recording(f->server, "cell", false), 0);
    int64_t deadline = clock_monotonic_ms() + DEADLINE_MS;
    while (link_switches_on(&f->switches, "cell") && clock_monotonic_ms() < deadline) {
        link_client_tell(f->client, LINK_REPORT, "", 0);
        turn(f);
    }
    assert_false(link_switches_on(&f->switches, "cell"));
    assert_true(link_switches_on(&f->switches, "web"));
    assert_int_equal(f->switch_events, 1);
    buffer_fini(&forged);
    nn_close(publisher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_switch_reaches_those_who_are_connected_and_those_who_come_later),
        TEST(a_restarted_collector_that_knows_of_no_switch_turns_all_on),
        TEST(forged_control_is_ignored_and_lost_control_made_good),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

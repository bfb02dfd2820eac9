// SPDX-License-Identifier: Apache-2.0
/* Who is not what he should be: other keys, other versions, other clocks, messages made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <nanomsg/nn.h>
#include <nanomsg/reqrep.h>
#include <time.h>

#include "lib/link/cover.h"
#include "lib/link/envelope.h"
#include "lib/link/socket.h"
#include "tests/unit/link/ends.h"
#include "weft.pb-c.h"

static void a_wrong_key_is_told_to_both_ends(void **state)
{
    struct fixture *f = *state;
    uint8_t other[LINK_KEY_BYTES] = {1};
    char why[256];
    struct link_server_stats stats;
    unlink(f->key_file);
    assert_int_equal(link_key_save(f->key_file, other, why, sizeof why), 0);
    start_server(f);
    start_client(f);
    TURN_UNTIL(f, status_of(f).state == LINK_FAILED);
    assert_non_null(strstr(status_of(f).problem, "another key"));
    link_server_stats(f->server, &stats);
    assert_true(stats.bad_key >= 1);
    assert_int_equal(send_batch(f, 1), -1);
}

static void an_unknown_agent_is_told_what_to_copy_where(void **state)
{
    struct fixture *f = *state;
    struct link_server_stats stats;
    f->client_options.agent = "box8";
    start_server(f);
    start_client(f);
    TURN_UNTIL(f, status_of(f).state == LINK_FAILED);
    assert_non_null(strstr(status_of(f).problem, "does not know agent box8: copy "));
    assert_non_null(strstr(status_of(f).problem, "as box8.key"));
    link_server_stats(f->server, &stats);
    assert_true(stats.unknown_agent >= 1);
}

static void an_open_agent_is_refused_by_a_collector_with_keys(void **state)
{
    struct fixture *f = *state;
    f->client_options.key_file = NULL;
    start_server(f);
    start_client(f);
    TURN_UNTIL(f, status_of(f).state == LINK_FAILED);
    assert_non_null(strstr(status_of(f).problem, "not sealed by the key"));
}

static void an_agent_with_a_key_does_not_trust_an_open_collector(void **state)
{
    struct fixture *f = *state;
    f->server_options.keys_directory = NULL;
    start_server(f);
    start_client(f);
    TURN_UNTIL(f, status_of(f).state == LINK_FAILED);
    assert_non_null(strstr(status_of(f).problem, "the collector has no keys"));
}

static void without_keys_only_loopback_is_allowed(void **state)
{
    struct fixture *f = *state;
    char why[256] = "";
    f->server_options.keys_directory = NULL;
    f->server_options.address = "tcp://*:4042";
    assert_null(link_server_create(&f->server_options, why, sizeof why));
    assert_non_null(strstr(why, "without keys the link is open"));
    f->client_options.key_file = NULL;
    f->client_options.address = "tcp://10.1.2.3:4042";
    assert_null(link_client_create(&f->client_options, why, sizeof why));
    assert_non_null(strstr(why, "without keys the link is open"));
    f->client_options.agent = "../etc";
    assert_null(link_client_create(&f->client_options, why, sizeof why));
    assert_non_null(strstr(why, "found agent id"));
}

static void an_address_in_use_is_told(void **state)
{
    struct fixture *f = *state;
    char why[256] = "";
    start_server(f);
    assert_null(link_server_create(&f->server_options, why, sizeof why));
    assert_non_null(strstr(why, "in use"));
}

/* A peer made by hand. */
struct stranger {
    int socket;
    uint32_t requests;
};

static void stranger_connect(struct fixture *f, struct stranger *s)
{
    *s = (struct stranger){.socket = link_socket_open(NN_REQ, f->address)};
    assert_true(s->socket >= 0);
    assert_true(nn_connect(s->socket, f->address) >= 0);
}

static void stranger_send(struct fixture *f, struct stranger *s, const void *bytes, size_t length)
{
    struct link_route route = link_route_of_request(++s->requests);
    struct link_piece piece = {bytes, length};
    TURN_UNTIL(f, link_socket_send(s->socket, &route, &piece, 1) == 0);
}

/* The verdict of the next answer. */
static uint32_t stranger_hear(struct fixture *f, struct stranger *s, const uint8_t *key,
                              uint64_t *session)
{
    struct link_message message;
    struct envelope e;
    uint8_t plain[4096];
    TURN_UNTIL(f, link_socket_receive(s->socket, &message) == 0);
    assert_true(envelope_parse(message.bytes, message.length, &e));
    assert_int_equal(e.type, LINK_ANSWER);
    assert_true(envelope_plain_length(&e) <= sizeof plain);
    assert_true(envelope_open(&e, e.sealed ? key : NULL, plain));
    Weft__Answer *answer = weft__answer__unpack(NULL, envelope_plain_length(&e), plain);
    assert_non_null(answer);
    uint32_t verdict = answer->verdict;
    if (session)
        *session = answer->session;
    weft__answer__free_unpacked(answer, NULL);
    link_message_fini(&message);
    return verdict;
}

static void a_peer_of_another_version_is_told(void **state)
{
    struct fixture *f = *state;
    struct stranger s;
    struct buffer bytes = {0};
    struct link_server_stats stats;
    struct envelope e = {.version = LINK_VERSION + 1, .type = LINK_HELLO, .agent = "box7"};
    start_server(f);
    stranger_connect(f, &s);
    assert_int_equal(envelope_write(&bytes, &e, f->key, "", 0), 0);
    stranger_send(f, &s, bytes.data, bytes.length);
    assert_int_equal(stranger_hear(f, &s, f->key, NULL), LINK_TOO_OLD);
    link_server_stats(f->server, &stats);
    assert_int_equal(stats.too_old, 1);
    buffer_fini(&bytes);
    nn_close(s.socket);
}

static void a_replayed_or_tampered_message_gains_nothing(void **state)
{
    struct fixture *f = *state;
    struct stranger s;
    struct buffer bytes = {0};
    struct link_server_stats stats;
    uint64_t session;
    uint8_t cover[LINK_COVER_BYTES] = {0};
    struct envelope e = {
        .version = LINK_VERSION, .type = LINK_HELLO, .agent = "box7", .sequence = {77, 1}};
    start_server(f);
    stranger_connect(f, &s);
    envelope_write(&bytes, &e, f->key, "", 0);
    stranger_send(f, &s, bytes.data, bytes.length);
    assert_int_equal(stranger_hear(f, &s, f->key, &session), LINK_ACCEPTED);
    assert_true(session != 0);

    buffer_clear(&bytes);
    e.type = LINK_REPORT;
    e.sequence = (struct link_sequence){session, 1};
    envelope_write(&bytes, &e, f->key, cover, sizeof cover);
    stranger_send(f, &s, bytes.data, bytes.length);
    assert_int_equal(stranger_hear(f, &s, f->key, NULL), LINK_ACCEPTED);
    assert_int_equal(f->reports, 1);
    stranger_send(f, &s, bytes.data, bytes.length); /* the same again */
    bytes.data[bytes.length - 1] ^= 1;              /* and once more, tampered with */
    stranger_send(f, &s, bytes.data, bytes.length);
    assert_int_equal(stranger_hear(f, &s, f->key, NULL), LINK_BAD_KEY);
    stranger_send(f, &s, "garbage", 7);
    TURN_UNTIL(f, (link_server_stats(f->server, &stats), stats.bad_envelope == 1));
    assert_int_equal(stats.replayed, 1);
    assert_int_equal(stats.bad_key, 1);
    assert_int_equal(f->reports, 1);
    buffer_fini(&bytes);
    nn_close(s.socket);
}

static void who_has_no_session_is_told_to_say_hello(void **state)
{
    struct fixture *f = *state;
    struct stranger s;
    struct buffer bytes = {0};
    uint8_t cover[LINK_COVER_BYTES] = {0};
    struct envelope e = {
        .version = LINK_VERSION, .type = LINK_REPORT, .agent = "box7", .sequence = {77, 1}};
    start_server(f);
    stranger_connect(f, &s);
    envelope_write(&bytes, &e, f->key, cover, sizeof cover);
    stranger_send(f, &s, bytes.data, bytes.length);
    assert_int_equal(stranger_hear(f, &s, f->key, NULL), LINK_HELLO_FIRST);
    assert_int_equal(f->reports, 0);
    buffer_fini(&bytes);
    nn_close(s.socket);
}

/* A collector made by hand, an hour ahead. */
static void a_clock_that_is_off_is_told_but_the_link_works(void **state)
{
    struct fixture *f = *state;
    struct link_message message;
    struct envelope e;
    struct buffer bytes = {0};
    uint8_t control_key[LINK_CONTROL_KEY_BYTES] = {0}, body[512];
    int socket = link_socket_open(NN_REP, f->address);
    assert_true(nn_bind(socket, f->address) >= 0);
    start_client(f);
    TURN_UNTIL(f, link_socket_receive(socket, &message) == 0);
    assert_true(envelope_parse(message.bytes, message.length, &e));
    Weft__Answer answer = WEFT__ANSWER__INIT;
    answer.session = 5;
    answer.control_key = (ProtobufCBinaryData){sizeof control_key, control_key};
    answer.received_unix_ns = ((uint64_t)time(NULL) + 3600) * 1000000000u;
    size_t length = weft__answer__pack(&answer, body);
    struct envelope reply = {.version = LINK_VERSION, .type = LINK_ANSWER, .sequence = e.sequence};
    strcpy(reply.agent, "box7");
    assert_int_equal(envelope_write(&bytes, &reply, f->key, body, length), 0);
    struct link_piece piece = {bytes.data, bytes.length};
    assert_int_equal(link_socket_send(socket, &message.route, &piece, 1), 0);
    TURN_UNTIL(f, is_ready(f));
    assert_non_null(strstr(status_of(f).problem, "behind the collector's"));
    assert_true(status_of(f).clock_skew_ns > INT64_C(3590) * 1000000000);
    assert_int_equal(send_batch(f, 1), 0);
    link_message_fini(&message);
    buffer_fini(&bytes);
    nn_close(socket);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_wrong_key_is_told_to_both_ends),
        TEST(an_unknown_agent_is_told_what_to_copy_where),
        TEST(an_open_agent_is_refused_by_a_collector_with_keys),
        TEST(an_agent_with_a_key_does_not_trust_an_open_collector),
        TEST(without_keys_only_loopback_is_allowed),
        TEST(an_address_in_use_is_told),
        TEST(a_peer_of_another_version_is_told),
        TEST(a_replayed_or_tampered_message_gains_nothing),
        TEST(who_has_no_session_is_told_to_say_hello),
        TEST(a_clock_that_is_off_is_told_but_the_link_works),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

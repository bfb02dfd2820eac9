// SPDX-License-Identifier: Apache-2.0
/* Both ends of the link together, over real nanomsg on loopback. Client and server take turns on
 * one thread, so that nothing here depends on timing but deadlines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <ftw.h>
#include <nanomsg/nn.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/buffer.h"
#include "lib/base/log.h"
#include "lib/link/client.h"
#include "lib/link/control.h"
#include "lib/link/cover.h"
#include "lib/link/envelope.h"
#include "lib/link/keys.h"
#include "lib/link/server.h"
#include "lib/link/socket.h"
#include "weft.pb-c.h"

enum { BATCHES_MOST = 200, DEADLINE_MS = 20000 };

struct fixture {
    char directory[64], keys[96], key_file[128];
    char address[64], control_address[64];
    uint8_t key[LINK_KEY_BYTES];
    struct link_server_options server_options;
    struct link_client_options client_options;
    struct link_server *server;
    struct link_client *client;
    /* What the collector saw and does. */
    unsigned seen[BATCHES_MOST];
    unsigned reports, inflights;
    struct link_sequence last_oldest;
    char last_body[64];
    enum link_verdict (*decide)(struct fixture *f, const struct link_request *request);
    bool hold; /* keeps requests unanswered */
    struct link_request held[32];
    unsigned held_count;
    /* What the agent heard. */
    enum link_verdict answers[BATCHES_MOST];
    unsigned answered;
    struct link_switches switches;
    unsigned switch_events;
};

/* ---- setting up -------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* nanomsg cannot tell which port it got, so one that was free a moment ago is taken. */
static void free_address(char address[64])
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof any;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&any, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&any, &length), 0);
    close(fd);
    snprintf(address, 64, "tcp://127.0.0.1:%d", ntohs(any.sin_port));
}

static void start_server(struct fixture *f)
{
    char why[256] = "";
    int64_t deadline = now_ms() + DEADLINE_MS;
    while (!f->server && now_ms() < deadline)
        f->server = link_server_create(&f->server_options, why, sizeof why);
    if (!f->server)
        fail_msg("%s", why);
}

static void start_client(struct fixture *f)
{
    char why[256] = "";
    f->client = link_client_create(&f->client_options, why, sizeof why);
    if (!f->client)
        fail_msg("%s", why);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char why[256], agent_key[128];
    snprintf(f->directory, sizeof f->directory, "/tmp/weft-link-XXXXXX");
    if (!mkdtemp(f->directory) || link_key_generate(f->key, why, sizeof why) < 0)
        return -1;
    snprintf(f->keys, sizeof f->keys, "%s", f->directory);
    snprintf(f->key_file, sizeof f->key_file, "%s/agent-side", f->directory);
    snprintf(agent_key, sizeof agent_key, "%s/box7.key", f->keys);
    if (link_key_save(f->key_file, f->key, why, sizeof why) < 0 ||
        link_key_save(agent_key, f->key, why, sizeof why) < 0)
        return -1;
    free_address(f->address);
    free_address(f->control_address);
    f->server_options = (struct link_server_options){f->address, f->control_address, f->keys};
    f->client_options = (struct link_client_options){.address = f->address,
                                                     .control_address = f->control_address,
                                                     .agent = "box7",
                                                     .key_file = f->key_file,
                                                     .max_in_flight = 16,
                                                     .answer_timeout_ms = 5000};
    *state = f;
    return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < f->held_count; i++)
        link_request_release(&f->held[i]);
    link_client_destroy(&f->client);
    link_server_destroy(&f->server);
    nftw(f->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

/* ---- taking turns ------------------------------------------------------------------------ */

static void serve(struct fixture *f, struct link_request *request)
{
    if (request->type == LINK_BATCH)
        f->seen[request->sequence.number % BATCHES_MOST]++;
    f->reports += request->type == LINK_REPORT;
    f->inflights += request->type == LINK_INFLIGHT;
    f->last_oldest = request->oldest;
    snprintf(f->last_body, sizeof f->last_body, "%.*s", (int)request->length,
             (const char *)request->body);
    if (request->type == LINK_BATCH && f->hold) {
        f->held[f->held_count++] = *request;
        return;
    }
    link_server_answer(f->server, request, f->decide ? f->decide(f, request) : LINK_ACCEPTED, "");
    link_request_release(request);
}

static void hear(struct fixture *f, const struct link_event *event)
{
    if (event->kind == LINK_EVENT_RECORDING) {
        f->switch_events++;
        link_switches_set(&f->switches, event->service, event->on);
        return;
    }
    f->answers[event->sequence.number % BATCHES_MOST] = event->verdict;
    f->answered++;
}

static void turn(struct fixture *f)
{
    struct link_request request;
    struct link_event event;
    while (f->server && link_server_receive(f->server, &request, 0))
        serve(f, &request);
    while (f->client && link_client_poll(f->client, &event, 1))
        hear(f, &event);
}

#define TURN_UNTIL(f, condition)                                                                   \
    do {                                                                                           \
        int64_t turn_deadline = now_ms() + DEADLINE_MS;                                            \
        while (!(condition)) {                                                                     \
            turn(f);                                                                               \
            if (now_ms() > turn_deadline)                                                          \
                fail_msg("waited in vain for " #condition);                                        \
        }                                                                                          \
    } while (0)

static struct link_client_status status_of(const struct fixture *f)
{
    struct link_client_status status;
    link_client_status(f->client, &status);
    return status;
}

static bool is_ready(const struct fixture *f)
{
    return status_of(f).state == LINK_READY;
}

static void start_both(struct fixture *f)
{
    start_server(f);
    start_client(f);
    TURN_UNTIL(f, is_ready(f));
}

static struct link_sequence sequence_of(unsigned number)
{
    return (struct link_sequence){1000, number};
}

static int send_batch(struct fixture *f, unsigned number)
{
    struct buffer sealed = {0};
    char text[32];
    snprintf(text, sizeof text, "batch %u", number);
    assert_int_equal(link_client_seal(f->client, sequence_of(number), text, strlen(text), &sealed),
                     0);
    int result = link_client_send(f->client, sequence_of(number), sequence_of(1), sealed.data,
                                  sealed.length);
    buffer_fini(&sealed);
    return result;
}

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

/* ---- strangers --------------------------------------------------------------------------- */

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

/* ---- control ----------------------------------------------------------------------------- */

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
    int64_t deadline = now_ms() + DEADLINE_MS;
    while (link_switches_on(&f->switches, "cell") && now_ms() < deadline) {
        link_client_tell(f->client, LINK_REPORT, "", 0);
        turn(f);
    }
    assert_false(link_switches_on(&f->switches, "cell"));
    assert_true(link_switches_on(&f->switches, "web"));
    assert_int_equal(f->switch_events, 1);
    buffer_fini(&forged);
    nn_close(publisher);
}

/* ---- threads ----------------------------------------------------------------------------- */

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
        TEST(a_switch_reaches_those_who_are_connected_and_those_who_come_later),
        TEST(a_restarted_collector_that_knows_of_no_switch_turns_all_on),
        TEST(forged_control_is_ignored_and_lost_control_made_good),
        TEST(stop_ends_a_receive_that_waits),
        TEST(wake_ends_a_poll_that_waits),
        TEST(any_thread_may_answer),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* The whole collector in this process, an agent's end of the link against it, questions over
 * real HTTP. */
#include "collector/collector.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/link/client.h"
#include "tests/unit/collector/spans.h"
#include "tests/unit/directory.h"

struct fixture {
    char directory[64], ledger[80], link[64], control[64];
    struct collector_config config;
    struct collector *collector;
    struct link_client *client;
    char answer[1 << 16];
};

/* A port that was free a moment ago. */
static unsigned free_port(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &length), 0);
    close(fd);
    return ntohs(in.sin_port);
}

static void start(struct fixture *f)
{
    char why[512] = "";
    f->collector = collector_start(&f->config, why, sizeof why);
    if (!f->collector)
        fail_msg("%s", why);
}

static void connect_agent(struct fixture *f)
{
    char why[512] = "";
    f->client = link_client_create(&(struct link_client_options){.address = f->link,
                                                                 .control_address = f->control,
                                                                 .agent = "box1",
                                                                 .max_in_flight = 16,
                                                                 .answer_timeout_ms = 1000},
                                   why, sizeof why);
    if (!f->client)
        fail_msg("%s", why);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char why[256];
    strcpy(f->directory, "/tmp/weft-collector-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->ledger, sizeof f->ledger, "%s/ledger", f->directory);
    snprintf(f->link, sizeof f->link, "tcp://127.0.0.1:%u", free_port());
    snprintf(f->control, sizeof f->control, "tcp://127.0.0.1:%u", free_port());
    assert_int_equal(config_defaults(&collector_program, &f->config, why, sizeof why), 0);
    const char *set[][2] = {{"http", "127.0.0.1:0"},
                            {"link", f->link},
                            {"control", f->control},
                            {"ledger-dir", f->ledger},
                            {"memory", "32M"}};
    for (size_t i = 0; i < sizeof set / sizeof *set; i++)
        assert_int_equal(config_set(&collector_program,
                                    config_find(&collector_program, set[i][0], NULL), set[i][1],
                                    "test", &f->config, why, sizeof why),
                         0);
    start(f);
    connect_agent(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    link_client_destroy(&f->client);
    collector_stop(&f->collector);
    config_clear(&collector_program, &f->config);
    assert_int_equal(directory_remove(f->directory), 0);
    free(f);
    return 0;
}

/* The whole answer, headers included. */
static const char *ask(struct fixture *f, const char *request)
{
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)collector_http_port(f->collector))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(write(fd, request, strlen(request)), strlen(request));
    size_t length = 0;
    ssize_t got;
    while ((got = read(fd, f->answer + length, sizeof f->answer - 1 - length)) > 0)
        length += (size_t)got;
    f->answer[length] = 0;
    close(fd);
    return f->answer;
}

static const char *get(struct fixture *f, const char *path)
{
    char request[512];
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    return ask(f, request);
}

static void wait_for(struct fixture *f, const char *path, const char *text)
{
    for (int i = 0; i < 500; i++) {
        struct link_event event;
        if (strstr(get(f, path), text))
            return;
        link_client_poll(f->client, &event, 20);
    }
    fail_msg("%s never said %s: %s", path, text, f->answer);
}

static void send_batch(struct fixture *f, uint64_t number)
{
    struct spans s;
    struct buffer sealed = {0};
    struct link_sequence sequence = {7, number};
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web");
    spans_add(&s, (struct span_by_hand){web, "GET /", .trace = number, .id = number});
    struct buffer plain = spans_encode(&s);
    assert_int_equal(link_client_seal(f->client, sequence, plain.data, plain.length, &sealed), 0);
    buffer_fini(&plain);
    for (int i = 0; i < 500; i++) {
        struct link_event event;
        if (link_client_send(f->client, sequence, (struct link_sequence){7, 1}, sealed.data,
                             sealed.length) == 0)
            break;
        link_client_poll(f->client, &event, 20);
    }
    buffer_fini(&sealed);
}

static enum link_verdict wait_for_answer(struct fixture *f, uint64_t number)
{
    for (int i = 0; i < 1000; i++) {
        struct link_event event;
        if (link_client_poll(f->client, &event, 20) == 1 && event.kind == LINK_EVENT_ANSWER &&
            event.sequence.number == number)
            return event.verdict;
    }
    fail_msg("batch %llu was never answered", (unsigned long long)number);
    return LINK_BUSY;
}

static void an_agents_batch_is_answered_shown_and_kept(void **state)
{
    struct fixture *f = *state;
    wait_for(f, "/readyz", "200 OK");
    for (uint64_t n = 1; n <= 5; n++) {
        send_batch(f, n);
        assert_int_equal(wait_for_answer(f, n), LINK_ACCEPTED);
    }
    wait_for(f, "/api/v1/traces/018f0000000000000000000000000006", "\"GET /\"");
    wait_for(f, "/api/v1/status", "\"id\":\"box1\",\"connected\":true");

    collector_stop(&f->collector);
    start(f);
    wait_for(f, "/readyz", "200 OK");
    wait_for(f, "/api/v1/traces/018f0000000000000000000000000006", "\"GET /\"");
    send_batch(f, 5);
    assert_int_equal(wait_for_answer(f, 5), LINK_DUPLICATE);
    wait_for(f, "/api/v1/status", "\"duplicate_batches\":1");
}

static void what_is_in_flight_is_shown(void **state)
{
    struct fixture *f = *state;
    wait_for(f, "/readyz", "200 OK");
    send_batch(f, 1);
    assert_int_equal(wait_for_answer(f, 1), LINK_ACCEPTED);
    struct spans s;
    spans_begin(&s);
    uint32_t web = spans_process(&s, 1, "web");
    spans_add(&s, (struct span_by_hand){web, "slow", .trace = 9, .id = 9, .for_ms = 500,
                                        .status = SPAN_IN_FLIGHT});
    struct buffer plain = spans_encode(&s);
    link_client_tell(f->client, LINK_INFLIGHT, plain.data, plain.length);
    buffer_fini(&plain);
    wait_for(f, "/api/v1/inflight", "\"name\":\"slow\"");
    wait_for(f, "/api/v1/traces?status=in_flight", "\"in_flight_count\":1");
}

static void http_has_its_limits(void **state)
{
    struct fixture *f = *state;
    static char request[20000];
    int length =
        snprintf(request, sizeof request,
                 "POST /api/v1/recording HTTP/1.1\r\nHost: localhost\r\nConnection: "
                 "close\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n");
    memset(request + length, '{', 9000);
    request[length + 9000] = 0;
    assert_non_null(strstr(ask(f, request), "413"));
    assert_non_null(strstr(get(f, "/api/v1/traces?limit=x"), "400 Bad Request"));
    assert_non_null(strstr(ask(f, "GET /api/v1/status HTTP/1.1\r\nHost: evil.example\r\n"
                                  "Connection: close\r\n\r\n"),
                           "421"));
    const char *head = ask(f, "HEAD /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: "
                              "close\r\n\r\n");
    assert_non_null(strstr(head, "200 OK"));
    assert_null(strstr(head, "collector"));
    assert_non_null(strstr(get(f, "/healthz"), "X-Content-Type-Options: nosniff"));
    assert_non_null(strstr(get(f, "/healthz"), "Server-Timing: answer;dur="));
    assert_non_null(strstr(ask(f, "PUT /api/v1/status HTTP/1.1\r\nHost: localhost\r\n"
                                  "Connection: close\r\n\r\n"),
                           "Allow: GET, HEAD"));
}

static void a_configuration_that_opens_the_door_is_refused(void **state)
{
    struct fixture *f = *state;
    struct collector_config config = f->config;
    char why[512];
    static char anywhere[] = "0.0.0.0:4040", nowhere[] = "nowhere";
    assert_int_equal(collector_config_check(&config, why, sizeof why), 0);
    config.http = anywhere;
    assert_int_equal(collector_config_check(&config, why, sizeof why), -1);
    assert_non_null(strstr(why, "token-file"));
    config.http = nowhere;
    assert_int_equal(collector_config_check(&config, why, sizeof why), -1);
    assert_non_null(strstr(why, "HOST:PORT"));
}

static void a_log_link_has_places_that_the_page_knows(void **state)
{
    struct fixture *f = *state;
    struct collector_config config = f->config;
    char why[512];
    static char good[] = "https://logs.example/?q={trace_id}&from={from_ms}&to={to_iso}",
                odd[] = "https://logs.example/{trace_id}/{trace}",
                elsewhere[] = "https:///a@{service}/?q={trace_id}",
                open[] = "https://x.example/{host";
    config.log_link = good;
    assert_int_equal(collector_config_check(&config, why, sizeof why), 0);
    config.log_link = odd;
    assert_int_equal(collector_config_check(&config, why, sizeof why), -1);
    assert_non_null(strstr(why, "log-link: found \"{trace}\", expected one of {trace_id}"));
    config.log_link = elsewhere;
    assert_int_equal(collector_config_check(&config, why, sizeof why), -1);
    assert_non_null(strstr(why, "in the host of"));
    config.log_link = open;
    assert_int_equal(collector_config_check(&config, why, sizeof why), -1);
    assert_non_null(strstr(why, "found \"{host\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(an_agents_batch_is_answered_shown_and_kept),
        TEST(what_is_in_flight_is_shown),
        TEST(http_has_its_limits),
        TEST(a_configuration_that_opens_the_door_is_refused),
        TEST(a_log_link_has_places_that_the_page_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

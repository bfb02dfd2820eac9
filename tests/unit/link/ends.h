// SPDX-License-Identifier: Apache-2.0
/* Both ends of the link together, over real nanomsg on loopback. Client and server take turns on
 * one thread, so that nothing here depends on timing but deadlines. */
#ifndef WEFT_TESTS_LINK_ENDS_H
#define WEFT_TESTS_LINK_ENDS_H

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/link/client.h"
#include "lib/link/control.h"
#include "lib/link/keys.h"
#include "lib/link/server.h"
#include "tests/unit/directory.h"

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

/* nanomsg cannot tell which port it got, so one that was free a moment ago is taken. */
static inline void free_address(char address[64])
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof any;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&any, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&any, &length), 0);
    close(fd);
    snprintf(address, 64, "tcp://127.0.0.1:%d", ntohs(any.sin_port));
}

static inline void start_server(struct fixture *f)
{
    char why[256] = "";
    int64_t deadline = clock_monotonic_ms() + DEADLINE_MS;
    while (!f->server && clock_monotonic_ms() < deadline)
        f->server = link_server_create(&f->server_options, why, sizeof why);
    if (!f->server)
        fail_msg("%s", why);
}

static inline void start_client(struct fixture *f)
{
    char why[256] = "";
    f->client = link_client_create(&f->client_options, why, sizeof why);
    if (!f->client)
        fail_msg("%s", why);
}

static inline int setup(void **state)
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

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < f->held_count; i++)
        link_request_release(&f->held[i]);
    link_client_destroy(&f->client);
    link_server_destroy(&f->server);
    directory_remove(f->directory);
    free(f);
    return 0;
}

/* ---- taking turns ------------------------------------------------------------------------ */

static inline void serve(struct fixture *f, struct link_request *request)
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

static inline void hear(struct fixture *f, const struct link_event *event)
{
    if (event->kind == LINK_EVENT_RECORDING) {
        f->switch_events++;
        link_switches_set(&f->switches, event->service, event->on);
        return;
    }
    f->answers[event->sequence.number % BATCHES_MOST] = event->verdict;
    f->answered++;
}

static inline void turn(struct fixture *f)
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
        int64_t turn_deadline = clock_monotonic_ms() + DEADLINE_MS;                                \
        while (!(condition)) {                                                                     \
            turn(f);                                                                               \
            if (clock_monotonic_ms() > turn_deadline)                                              \
                fail_msg("waited in vain for " #condition);                                        \
        }                                                                                          \
    } while (0)

static inline struct link_client_status status_of(const struct fixture *f)
{
    struct link_client_status status;
    link_client_status(f->client, &status);
    return status;
}

static inline bool is_ready(const struct fixture *f)
{
    return status_of(f).state == LINK_READY;
}

static inline void start_both(struct fixture *f)
{
    start_server(f);
    start_client(f);
    TURN_UNTIL(f, is_ready(f));
}

static inline struct link_sequence sequence_of(unsigned number)
{
    return (struct link_sequence){1000, number};
}

static inline int send_batch(struct fixture *f, unsigned number)
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

#endif

// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "demo/service.h"

enum { BODY_MAX = 64 << 10, ROUTES_MAX = 8 };

static struct {
    const struct service_route *routes;
    size_t count;
} table;
static volatile sig_atomic_t ending;

bool service_ending(void)
{
    return ending;
}

long service_query(const struct service_request *request, const char *name, long standard)
{
    const char *text =
        MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
    char *end;
    long value = text ? strtol(text, &end, 10) : standard;
    return text && (*end || end == text) ? standard : value;
}

static const char *header(void *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static const struct service_route *find(const char *method, const char *path)
{
    for (size_t i = 0; i < table.count; i++)
        if (strcmp(table.routes[i].method, method) == 0 && strcmp(table.routes[i].path, path) == 0)
            return &table.routes[i];
    return NULL;
}

/* The server span: parent from the headers, error from 500 up. */
static int traced(const struct service_route *route, struct service_request *request,
                  struct buffer *answer)
{
    struct weft_context parent;
    weft_extract(&parent, header, request->connection);
    WEFT_SCOPE_FROM(span, route->name, WEFT_SERVER, &parent);
    weft_set_string(span, WEFT_NAME("http.request.method"), request->method);
    weft_set_string(span, WEFT_NAME("url.path"), request->path);
    request->span = span;
    int status = route->handler(request, answer);
    weft_set_int(span, WEFT_NAME("http.response.status_code"), status);
    if (status >= 500)
        weft_set_status(span, WEFT_ERROR, answer->length ? buffer_cstring(answer) : NULL);
    return status;
}

static enum MHD_Result respond(struct MHD_Connection *connection, int status,
                               const struct buffer *answer)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        answer->length, answer->length ? answer->data : NULL, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *length, void **state)
{
    (void)context;
    (void)version;
    struct buffer *body = *state;
    if (!body) {
        *state = calloc(1, sizeof *body);
        return *state ? MHD_YES : MHD_NO;
    }
    if (*length) {
        if (body->length + *length <= BODY_MAX)
            buffer_append(body, data, *length);
        *length = 0;
        return MHD_YES;
    }
    struct buffer answer = {0};
    const struct service_route *route = find(method, path);
    struct service_request request = {.method = method,
                                      .path = path,
                                      .body = buffer_cstring(body),
                                      .body_length = body->length,
                                      .connection = connection};
    int status = route ? traced(route, &request, &answer) : 404;
    enum MHD_Result result = respond(connection, status, &answer);
    buffer_fini(&answer);
    return result;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    if (*state)
        buffer_fini(*state);
    free(*state);
    *state = NULL;
}

static void on_signal(int signal)
{
    (void)signal;
    ending = 1;
}

int service_run(uint16_t port, unsigned threads, const struct service_route *routes, size_t count,
                void (*ready)(void))
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    sigset_t mask, old;
    table.routes = routes;
    table.count = count;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGINT);
    sigprocmask(SIG_BLOCK, &mask, &old);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);

    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, port, NULL, NULL,
                         on_request, NULL, MHD_OPTION_THREAD_POOL_SIZE, threads,
                         MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
                         NULL, MHD_OPTION_CONNECTION_TIMEOUT, 30u, MHD_OPTION_END);
    if (!daemon) {
        fprintf(stderr, "cannot listen on 127.0.0.1:%u\n", port);
        return 1;
    }
    if (ready)
        ready();
    while (!ending)
        sigsuspend(&old);
    MHD_stop_daemon(daemon);
    return 0;
}

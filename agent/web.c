// SPDX-License-Identifier: Apache-2.0
#include "agent/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "agent/report.h"
#include "lib/base/log.h"

struct web {
    struct MHD_Daemon *daemon;
    const struct counters *counters;
    struct outbox *outbox;
};

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *text,
                             size_t length)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *length, void **state)
{
    struct web *w = context;
    (void)version;
    (void)data;
    (void)state;
    if (*length)
        return MHD_NO;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return reply(connection, 405, "only GET\n", 9);
    if (strcmp(path, "/healthz") == 0)
        return reply(connection, 200, "ok\n", 3);
    if (strcmp(path, "/metrics") != 0)
        return reply(connection, 404, "here are /metrics and /healthz\n", 31);
    struct buffer text = {0};
    struct outbox_stats stats;
    outbox_stats(w->outbox, &stats);
    struct own_metrics m = own_to_text(&text);
    report_metrics(&m, w->counters, &stats);
    enum MHD_Result result = text.failed ? reply(connection, 500, "out of memory\n", 14)
                                         : reply(connection, 200, text.data, text.length);
    buffer_fini(&text);
    return result;
}

static bool parse(const char *address, struct sockaddr_in6 *v6, struct sockaddr_in *v4)
{
    char host[64];
    const char *colon = strrchr(address, ':');
    char *end;
    size_t length = colon ? (size_t)(colon - address) : 0;
    if (!colon || length >= sizeof host)
        return false;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (*end || end == colon + 1 || port > 65535)
        return false;
    memcpy(host, address, length);
    host[length] = '\0';
    *v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    *v6 = (struct sockaddr_in6){.sin6_port = htons((uint16_t)port)};
    if (strcmp(host, "[::1]") == 0) {
        *v6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
                                    .sin6_port = htons((uint16_t)port),
                                    .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        return true;
    }
    return inet_pton(AF_INET, host, &v4->sin_addr) == 1 &&
           (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
}

struct web *web_create(const char *address, const struct counters *counters, struct outbox *outbox)
{
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;
    struct web *w = calloc(1, sizeof *w);
    if (!w || !parse(address, &v6, &v4)) {
        LOG_ERROR("http: found \"%s\", expected a loopback address such as 127.0.0.1:4041",
                  address);
        free(w);
        return NULL;
    }
    w->counters = counters;
    w->outbox = outbox;
    bool is_v6 = v6.sin6_family == AF_INET6;
    w->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | (is_v6 ? MHD_USE_IPv6 : 0), 0, NULL, NULL,
        on_request, w, MHD_OPTION_SOCK_ADDR, is_v6 ? (void *)&v6 : (void *)&v4,
        MHD_OPTION_CONNECTION_TIMEOUT, 10u, MHD_OPTION_CONNECTION_LIMIT, 32u, MHD_OPTION_END);
    if (!w->daemon) {
        LOG_ERROR("http: %s: %s; set `http` to another address or to \"\"", address,
                  strerror(errno));
        free(w);
        return NULL;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_BIND_PORT);
    LOG_INFO("metrics on http://%s:%u/metrics", is_v6 ? "[::1]" : "127.0.0.1",
             info ? info->port : 0);
    return w;
}

void web_destroy(struct web **web)
{
    struct web *w = *web;
    if (!w)
        return;
    MHD_stop_daemon(w->daemon);
    free(w);
    *web = NULL;
}

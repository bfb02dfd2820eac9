// SPDX-License-Identifier: Apache-2.0
/* The HTTP side of web.h: libmicrohttpd with a thread for each connection, so that a long question
 * or a slow reader holds up nobody else. Limits: connections, seconds without a byte, bytes of
 * headers (the library's memory pool), bytes of a body (which only those may send whom the route
 * lets), bytes of all bodies together. */
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "collector/web/params.h"
#include "collector/web/web.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

enum { HEADER_POOL_BYTES = 32 << 10, STREAM_BLOCK_BYTES = 64 << 10, STACK_BYTES = 1 << 20 };
enum { BODIES_BYTES_MAX = 128 << 20 }; /* of all requests that are being read */

static const char page_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";
static const char data_policy[] = "default-src 'none'; frame-ancestors 'none'";

struct web_server {
    struct MHD_Daemon *daemon;
    const struct web *web;
    unsigned port;
    atomic_size_t bodies_bytes;
};

/* What is kept of a request between the library's calls. */
struct exchange {
    char *query; /* as it came, behind the '?'; NULL: none */
    struct buffer body;
    size_t body_max;
    bool started, too_long, too_many; /* too_many: the bodies of all together */
    bool nul_in_path;                 /* the library would end the path there */
};

/* ---- the library's callbacks ------------------------------------------------------------- */

static void *on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
    (void)context;
    (void)connection;
    struct exchange *x = calloc(1, sizeof *x);
    const char *query = strchr(uri, '?'), *nul = strstr(uri, "%00");
    if (x)
        x->nul_in_path = nul && (!query || nul < query);
    if (x && query) {
        x->query = strdup(query + 1);
        if (!x->query) {
            free(x);
            x = NULL;
        }
    }
    return x;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **place,
                         enum MHD_RequestTerminationCode code)
{
    (void)connection;
    (void)code;
    struct web_server *s = context;
    struct exchange *x = *place;
    if (x) {
        atomic_fetch_sub(&s->bodies_bytes, x->body.length);
        buffer_fini(&x->body);
        free(x->query);
    }
    free(x);
    *place = NULL;
}

__attribute__((format(printf, 2, 0))) static void on_library_log(void *context, const char *format,
                                                                 va_list arguments)
{
    (void)context;
    char line[256];
    vsnprintf(line, sizeof line, format, arguments);
    line[strcspn(line, "\n")] = 0;
    LOG_DEBUG("http: %s", line);
}

struct sending { /* a stream and what of it is not sent yet */
    struct reply_stream stream;
    struct buffer ready;
    size_t sent;
    bool ended;
};

static ssize_t on_read(void *context, uint64_t position, char *to, size_t most)
{
    (void)position;
    struct sending *s = context;
    if (s->sent == s->ready.length) {
        if (s->ended)
            return MHD_CONTENT_READER_END_OF_STREAM;
        buffer_clear(&s->ready);
        s->sent = 0;
        s->ended = !s->stream.next(s->stream.context, &s->ready);
        if (s->ready.failed)
            return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    size_t count = s->ready.length - s->sent;
    if (count > most)
        count = most;
    memcpy(to, s->ready.data + s->sent, count);
    s->sent += count;
    return (ssize_t)count;
}

static void on_read_end(void *context)
{
    struct sending *s = context;
    s->stream.close(s->stream.context);
    buffer_fini(&s->ready);
    free(s);
}

/* ---- a reply becomes a response ---------------------------------------------------------- */

static struct MHD_Response *stream_response(struct reply *r)
{
    struct sending *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->stream = r->stream;
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, on_read, s, on_read_end);
    if (response)
        r->stream = (struct reply_stream){0};
    else
        free(s);
    return response;
}

/* Takes over what it needs of the reply; NULL when memory is out. */
static struct MHD_Response *body_response(struct reply *r)
{
    struct MHD_Response *response;
    if (r->stream.next)
        return stream_response(r);
    if (r->file >= 0) {
        response = MHD_create_response_from_fd64(r->file_bytes, r->file);
        if (response)
            r->file = -1;
        return response;
    }
    response = MHD_create_response_from_buffer(r->body.length, r->body.data, MHD_RESPMEM_MUST_FREE);
    if (response)
        r->body = (struct buffer){0};
    return response;
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (value && *value)
        MHD_add_response_header(response, name, value);
}

static void add_modified(struct MHD_Response *response, int64_t unix_s)
{
    char text[40];
    struct tm tm;
    time_t t = (time_t)unix_s;
    if (unix_s != 0 && gmtime_r(&t, &tm) &&
        strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0)
        add_header(response, "Last-Modified", text);
}

/* How long it took until there was an answer to send: browsers show it beside the rest. */
static void add_timing(struct MHD_Response *response, uint64_t began_ns)
{
    char text[48];
    snprintf(text, sizeof text, "answer;dur=%.3f", (double)(clock_monotonic_ns() - began_ns) / 1e6);
    add_header(response, "Server-Timing", text);
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct reply *r,
                                  uint64_t began_ns)
{
    struct MHD_Response *response = body_response(r);
    enum MHD_Result result = MHD_NO;
    if (r->endless)
        MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
    if (response) {
        add_header(response, "Content-Type", r->content_type);
        add_header(response, "Cache-Control", r->cache_control ? r->cache_control : "no-store");
        add_header(response, "ETag", r->etag);
        add_modified(response, r->modified_unix_s);
        add_header(response, "Allow", r->allow);
        add_header(response, "WWW-Authenticate", r->authenticate);
        add_header(response, "X-Content-Type-Options", "nosniff");
        add_header(response, "Referrer-Policy", "no-referrer");
        add_header(response, "Content-Security-Policy", r->page ? page_policy : data_policy);
        add_timing(response, began_ns);
        result = MHD_queue_response(connection, r->status, response);
        MHD_destroy_response(response);
    }
    reply_fini(r);
    return result;
}

static enum web_method method_of(const char *name)
{
    if (strcmp(name, "GET") == 0)
        return WEB_GET;
    if (strcmp(name, "HEAD") == 0)
        return WEB_HEAD;
    if (strcmp(name, "PUT") == 0)
        return WEB_PUT;
    if (strcmp(name, "DELETE") == 0)
        return WEB_DELETE;
    return strcmp(name, "POST") == 0 ? WEB_POST : WEB_OTHER;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static void take_body(struct web_server *s, struct exchange *x, const char *data, size_t length)
{
    x->too_long = x->too_long || length > x->body_max - x->body.length;
    if (x->too_long || x->too_many)
        return;
    if (atomic_fetch_add(&s->bodies_bytes, length) + length > BODIES_BYTES_MAX) {
        atomic_fetch_sub(&s->bodies_bytes, length);
        x->too_many = true;
        return;
    }
    size_t before = x->body.length;
    buffer_append(&x->body, data, length);
    if (x->body.length == before)
        atomic_fetch_sub(&s->bodies_bytes, length);
}

static int socket_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : 0;
}

static struct web_request request_of(struct MHD_Connection *connection, const char *path,
                                     const char *method, struct exchange *x)
{
    return (struct web_request){
        .method = method_of(method),
        .path = path,
        .query = x->query,
        .host = header(connection, "Host"),
        .origin = header(connection, "Origin"),
        .fetch_site = header(connection, "Sec-Fetch-Site"),
        .authorization = header(connection, "Authorization"),
        .content_type = header(connection, "Content-Type"),
        .accept = header(connection, "Accept"),
        .if_match = header(connection, "If-Match"),
        .if_none_match = header(connection, "If-None-Match"),
        .socket = socket_of(connection),
        .body = buffer_cstring(&x->body),
        .body_length = x->body.length,
    };
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *upload, size_t *upload_length, void **place)
{
    (void)version;
    struct web_server *s = context;
    struct exchange *x = *place;
    struct reply reply = REPLY_EMPTY;
    uint64_t began_ns = clock_monotonic_ns();
    if (!x)
        return MHD_NO; /* no memory */
    if (*upload_length > 0) {
        take_body(s, x, upload, *upload_length);
        *upload_length = 0;
        return MHD_YES;
    }
    struct web_request request = request_of(connection, path, method, x);
    if (!x->started) {
        x->started = true; /* the headers are here; a body may follow, if it may */
        return web_admits(s->web, &request, &x->body_max, &reply)
                   ? MHD_YES
                   : send_reply(connection, &reply, began_ns);
    }
    if (x->nul_in_path)
        reply_error(&reply, 400, "the path holds a zero byte");
    else if (x->too_long)
        reply_error(&reply, 413, "the body is longer than %zu bytes", x->body_max);
    else if (x->too_many || x->body.failed)
        reply_error(&reply, 503, "too much is being sent at once: try again in a moment");
    else
        web_answer(s->web, &request, &reply);
    return send_reply(connection, &reply, began_ns);
}

/* ---- listening --------------------------------------------------------------------------- */

/* "HOST:PORT" or "[HOST]:PORT". NULL: it is no address. Freed by freeaddrinfo. */
static struct addrinfo *resolve(const char *address)
{
    char host[256];
    const char *colon = strrchr(address, ':');
    size_t length = colon ? (size_t)(colon - address) : 0;
    if (length == 0 || length >= sizeof host)
        return NULL;
    memcpy(host, address, length);
    host[length] = 0;
    char *name = host;
    if (name[0] == '[' && name[length - 1] == ']') {
        name[length - 1] = 0;
        name++;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    return getaddrinfo(name, colon + 1, &hints, &list) == 0 ? list : NULL;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    struct sockaddr_in6 in6;
    memcpy(&in6, address, sizeof in6);
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
}

int web_address_is_loopback(const char *address)
{
    struct addrinfo *list = resolve(address);
    if (!list)
        return -1;
    bool loopback = true;
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        loopback = loopback && is_loopback(a->ai_addr);
    freeaddrinfo(list);
    return loopback;
}

static struct MHD_Daemon *start(struct web_server *s, const struct sockaddr *address,
                                const struct web_server_options *o)
{
    unsigned flags =
        MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ERROR_LOG;
    if (address->sa_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL,
        MHD_OPTION_SOCK_ADDR, address, MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)STACK_BYTES, MHD_OPTION_CONNECTION_LIMIT, o->connections,
        MHD_OPTION_CONNECTION_TIMEOUT, o->timeout_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEADER_POOL_BYTES, MHD_OPTION_END);
}

static unsigned port_of(struct MHD_Daemon *daemon)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

struct web_server *web_server_start(struct web *w, const struct web_server_options *options,
                                    char *why, size_t why_size)
{
    struct addrinfo *list = resolve(options->address);
    if (!list) {
        snprintf(why, why_size, "http: found \"%s\", expected HOST:PORT", options->address);
        return NULL;
    }
    w->loopback = web_address_is_loopback(options->address) == 1;
    struct web_server *s = calloc(1, sizeof *s);
    if (s) {
        s->web = w;
        errno = 0;
        s->daemon = start(s, list->ai_addr, options);
    }
    if (s && s->daemon) {
        s->port = port_of(s->daemon);
    } else {
        snprintf(why, why_size, "http: cannot listen on %s: %s", options->address,
                 errno ? strerror(errno) : "the HTTP library refuses");
        free(s);
        s = NULL;
    }
    freeaddrinfo(list);
    return s;
}

unsigned web_server_port(const struct web_server *s)
{
    return s->port;
}

void web_server_stop(struct web_server **place)
{
    struct web_server *s = *place;
    if (!s)
        return;
    MHD_stop_daemon(s->daemon);
    free(s);
    *place = NULL;
}

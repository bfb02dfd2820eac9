// SPDX-License-Identifier: Apache-2.0
#include "agent/stats/statsd.h"

#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/socket.h>

#include "agent/stats/statsd_line.h"
#include "lib/base/log.h"
#include "lib/model/distinct.h"

enum { PACKET_BYTES_MAX = 65536, RECEIVE_BYTES = 4 << 20, SET_ROUNDS = 10, SETS_MAX = 1024 };

static const struct stats_metric_info bad_lines = {
    .name = "weft_agent_statsd_bad_lines_total",
    .help = "Lines on the StatsD port that are none.",
    .type = METRIC_COUNTER,
    .naming = STATS_HOST_ONLY,
};
static const struct stats_metric_info packets = {
    .name = "weft_agent_statsd_packets_total",
    .help = "Packets on the StatsD port.",
    .type = METRIC_COUNTER,
    .naming = STATS_HOST_ONLY,
};
static const struct stats_metric_info dropped = {
    .name = "weft_agent_statsd_dropped_total",
    .help = "Packets on the StatsD port that the kernel had no room for.",
    .type = METRIC_COUNTER,
    .naming = STATS_HOST_ONLY,
};

/* Beyond it a counter could not tell one more. */
#define COUNT_MOST 9007199254740992.0

/* A set: what came within the last rounds. */
struct set {
    struct set *next;
    struct statsd_line line; /* its name and labels, pointing into `texts` */
    struct distinct_window distinct;
    uint32_t idle_rounds;
    char texts[];
};

struct statsd {
    uv_udp_t socket;
    bool open;
    struct stats_table *table;
    struct set *sets;
    uint32_t set_count, round;
    uint64_t bad, came, kernel_dropped;
    char packet[PACKET_BYTES_MAX];
};

void statsd_reserve(struct stats_table *t)
{
    stats_own_metric(t, &bad_lines);
    stats_own_metric(t, &packets);
    stats_own_metric(t, &dropped);
}

/* ---- sets -------------------------------------------------------------------------------- */

static bool is_same(const struct statsd_line *a, const struct statsd_line *b)
{
    if (!batch_str_equal(a->name, b->name) || a->label_count != b->label_count)
        return false;
    for (uint32_t i = 0; i < a->label_count; i++)
        if (!batch_str_equal(a->labels[i].name, b->labels[i].name) ||
            !batch_str_equal(a->labels[i].value, b->labels[i].value))
            return false;
    return true;
}

static struct batch_str keep(char **at, struct batch_str text)
{
    memcpy(*at, text.bytes, text.length);
    struct batch_str kept = {*at, text.length};
    *at += text.length;
    return kept;
}

static struct set *make_set(struct statsd *s, const struct statsd_line *line)
{
    size_t bytes = line->name.length;
    for (uint32_t i = 0; i < line->label_count; i++)
        bytes += line->labels[i].name.length + line->labels[i].value.length;
    struct set *set = s->set_count < SETS_MAX ? calloc(1, sizeof *set + bytes) : NULL;
    if (!set)
        return NULL;
    char *at = set->texts;
    set->line.name = keep(&at, line->name);
    set->line.label_count = line->label_count;
    for (uint32_t i = 0; i < line->label_count; i++)
        set->line.labels[i] =
            (struct stats_label){keep(&at, line->labels[i].name), keep(&at, line->labels[i].value)};
    set->next = s->sets;
    s->sets = set;
    s->set_count++;
    return set;
}

static void add_to_set(struct statsd *s, struct stats_metric *metric,
                       const struct statsd_line *line)
{
    struct set *set = s->sets;
    while (set && !is_same(&set->line, line))
        set = set->next;
    if (!set)
        set = make_set(s, line);
    if (!set) {
        stats_refuse(s->table, metric, STATS_SERIES_LIMIT);
        return;
    }
    set->idle_rounds = 0;
    distinct_add(&set->distinct.now, line->values[0].text.bytes, line->values[0].text.length);
}

static void round_of_sets(struct statsd *s)
{
    for (struct set **at = &s->sets; *at;) {
        struct set *set = *at;
        struct stats_metric *m =
            stats_metric(s->table, set->line.name, METRIC_GAUGE, STATS_OF_STATSD);
        if (!m) /* somebody else has the name now */
            set->idle_rounds = 3 * SET_ROUNDS;
        stats_gauge(s->table,
                    stats_find(s->table, m, NULL, set->line.labels, set->line.label_count),
                    distinct_window_count(&set->distinct));
        if (s->round % SET_ROUNDS == 0)
            distinct_window_rotate(&set->distinct);
        if (set->idle_rounds++ < 3 * SET_ROUNDS) {
            at = &set->next;
            continue;
        }
        *at = set->next;
        free(set);
        s->set_count--;
    }
}

/* ---- lines ------------------------------------------------------------------------------- */

static void take_value(struct statsd *s, struct stats_series *series,
                       const struct statsd_line *line, const struct statsd_value *v)
{
    switch (line->type) {
    case STATSD_COUNTER:
        if (v->number >= 0 && v->number <= COUNT_MOST)
            stats_count(series, v->number / line->rate);
        else
            s->bad++; /* a counter does not go back, nor that far */
        break;
    case STATSD_GAUGE:
        if (v->relative)
            stats_gauge_move(s->table, series, v->number);
        else
            stats_gauge_keep(s->table, series, v->number);
        break;
    default:
        stats_record(series, v->number, (uint64_t)(1 / line->rate + 0.5));
    }
}

static void take_line(struct statsd *s, const struct statsd_line *line)
{
    static const enum metric_type types[] = {
        [STATSD_COUNTER] = METRIC_COUNTER,    [STATSD_GAUGE] = METRIC_GAUGE,
        [STATSD_TIMER_MS] = METRIC_HISTOGRAM, [STATSD_HISTOGRAM] = METRIC_HISTOGRAM,
        [STATSD_SET] = METRIC_GAUGE,
    };
    struct stats_metric *m = stats_metric(s->table, line->name, types[line->type], STATS_OF_STATSD);
    if (!m)
        return;
    if (line->type == STATSD_TIMER_MS)
        stats_describe(m, (struct batch_str){"milliseconds", 12}, (struct batch_str){"", 0});
    if (line->type == STATSD_SET) {
        add_to_set(s, m, line);
        return;
    }
    struct stats_series *series = stats_find(s->table, m, NULL, line->labels, line->label_count);
    for (uint32_t i = 0; i < line->value_count; i++)
        take_value(s, series, line, &line->values[i]);
}

void statsd_packet(struct statsd *s, const char *bytes, size_t length)
{
    const char *at = bytes, *end = bytes + length;
    s->came++;
    while (at < end) {
        struct statsd_line line;
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((stop ? stop : end) - at);
        if (n > 0 && at[n - 1] == '\r')
            n--;
        if (n > 0 && statsd_line_parse(at, n, &line))
            take_line(s, &line);
        else
            s->bad += n > 0;
        at = stop ? stop + 1 : end;
    }
}

/* ---- the socket -------------------------------------------------------------------------- */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct statsd *s = handle->data;
    (void)suggested;
    *room = uv_buf_init(s->packet, sizeof s->packet);
}

static void on_packet(uv_udp_t *socket, ssize_t length, const uv_buf_t *bytes,
                      const struct sockaddr *from, unsigned flags)
{
    (void)from;
    (void)flags;
    if (length > 0)
        statsd_packet(socket->data, bytes->base, (size_t)length);
}

static int parse_address(const char *address, struct sockaddr_storage *out)
{
    char host[64];
    const char *colon = strrchr(address, ':');
    size_t length = colon ? (size_t)(colon - address) : sizeof host;
    char *end;
    unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
    if (length >= sizeof host || *end || end == colon + 1 || port > 65535)
        return UV_EINVAL;
    memcpy(host, address, length);
    host[length] = '\0';
    if (strcmp(host, "[::1]") == 0)
        return uv_ip6_addr("::1", (int)port, (struct sockaddr_in6 *)out);
    if (strncmp(host, "127.", 4) != 0)
        return UV_EINVAL;
    return uv_ip4_addr(host, (int)port, (struct sockaddr_in *)out);
}

static int start_listening(struct statsd *s, const struct sockaddr_storage *at)
{
    int size = RECEIVE_BYTES;
    int error = uv_udp_bind(&s->socket, (const struct sockaddr *)at, 0);
    if (error != 0)
        return error;
    uv_recv_buffer_size((uv_handle_t *)&s->socket, &size); /* as much as there may be */
    return uv_udp_recv_start(&s->socket, on_room, on_packet);
}

static void free_closed(uv_handle_t *handle)
{
    free(handle->data);
}

struct statsd *statsd_create(uv_loop_t *loop, const char *address, struct stats_table *t, char *why,
                             size_t why_size)
{
    struct sockaddr_storage at;
    if (parse_address(address, &at) != 0) {
        snprintf(why, why_size,
                 "statsd: found \"%s\", expected a loopback address such as 127.0.0.1:8125",
                 address);
        return NULL;
    }
    struct statsd *s = calloc(1, sizeof *s);
    if (!s) {
        snprintf(why, why_size, "statsd: no memory");
        return NULL;
    }
    uv_udp_init(loop, &s->socket);
    s->socket.data = s;
    s->table = t;
    s->open = true;
    int error = start_listening(s, &at);
    if (error == 0)
        return s;
    snprintf(why, why_size, "statsd: %s: %s; set `statsd` to another address or to \"\"", address,
             uv_strerror(error));
    uv_close((uv_handle_t *)&s->socket, free_closed);
    return NULL;
}

void statsd_stop(struct statsd *s)
{
    if (!s || !s->open)
        return;
    s->open = false;
    uv_close((uv_handle_t *)&s->socket, NULL);
}

void statsd_destroy(struct statsd **place)
{
    struct statsd *s = *place;
    if (!s)
        return;
    while (s->sets) {
        struct set *next = s->sets->next;
        free(s->sets);
        s->sets = next;
    }
    free(s);
    *place = NULL;
}

unsigned statsd_port(const struct statsd *s)
{
    struct sockaddr_storage at;
    int length = sizeof at;
    if (uv_udp_getsockname(&s->socket, (struct sockaddr *)&at, &length) != 0)
        return 0;
    return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
                                          : ((struct sockaddr_in *)&at)->sin_port);
}

/* ---- rounds ------------------------------------------------------------------------------ */

static void count(struct statsd *s, const struct stats_metric_info *info, uint64_t *news)
{
    stats_count(stats_find(s->table, stats_own_metric(s->table, info), NULL, NULL, 0),
                (double)*news);
    *news = 0;
}

/* The kernel's count of what it dropped on this socket, since it was opened. */
static void ask_kernel(struct statsd *s, uint64_t *news)
{
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof info;
    uv_os_fd_t fd;
    *news = 0;
    if (uv_fileno((uv_handle_t *)&s->socket, &fd) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &length) != 0)
        return;
    *news = info[SK_MEMINFO_DROPS] - (uint32_t)s->kernel_dropped;
    s->kernel_dropped = info[SK_MEMINFO_DROPS];
}

void statsd_round(struct statsd *s)
{
    uint64_t drops;
    if (!s || !s->open)
        return;
    s->round++;
    round_of_sets(s);
    ask_kernel(s, &drops);
    count(s, &dropped, &drops);
    count(s, &packets, &s->came);
    count(s, &bad_lines, &s->bad);
}

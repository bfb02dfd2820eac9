// SPDX-License-Identifier: Apache-2.0
#include "collector/accept/agents.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <weft.pb-c.h>

#define CONNECTED_NS   UINT64_C(5000000000)  /* a report comes every second */
#define SKEW_WINDOW_NS UINT64_C(30000000000) /* the window before counts too */

struct known {
    struct status_agent status;
    uint64_t window_unix_ns;     /* when the present window of the skew began */
    int64_t least, least_before; /* in it, and in the one before */
};

struct agents {
    pthread_mutex_t lock;
    struct known *list; /* by id */
    size_t count, capacity;
};

struct agents *agents_create(void)
{
    struct agents *a = calloc(1, sizeof *a);
    if (a)
        pthread_mutex_init(&a->lock, NULL);
    return a;
}

void agents_destroy(struct agents **place)
{
    struct agents *a = *place;
    if (!a)
        return;
    pthread_mutex_destroy(&a->lock);
    free(a->list);
    free(a);
    *place = NULL;
}

static size_t place_of(const struct agents *a, const char *id)
{
    size_t low = 0, high = a->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(a->list[middle].status.id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* NULL when memory or room is out: then that agent is not shown. */
static struct known *find_or_add(struct agents *a, const char *id)
{
    size_t at = place_of(a, id);
    if (at < a->count && strcmp(a->list[at].status.id, id) == 0)
        return &a->list[at];
    if (a->count == AGENTS_MAX)
        return NULL;
    if (a->count == a->capacity) {
        size_t more = a->capacity ? a->capacity * 2 : 8;
        struct known *bigger = realloc(a->list, more * sizeof *bigger);
        if (!bigger)
            return NULL;
        a->list = bigger;
        a->capacity = more;
    }
    memmove(&a->list[at + 1], &a->list[at], (a->count - at) * sizeof *a->list);
    a->count++;
    a->list[at] = (struct known){.least = INT64_MAX, .least_before = INT64_MAX};
    strncpy(a->list[at].status.id, id, LINK_AGENT_ID_MAX);
    return &a->list[at];
}

static void learn_skew(struct known *k, int64_t difference_ns, uint64_t now_unix_ns)
{
    if (now_unix_ns - k->window_unix_ns >= SKEW_WINDOW_NS) {
        k->least_before = k->least;
        k->least = INT64_MAX;
        k->window_unix_ns = now_unix_ns;
    }
    if (difference_ns < k->least)
        k->least = difference_ns;
    k->status.clock_skew_ns = k->least < k->least_before ? k->least : k->least_before;
}

void agents_seen(struct agents *a, const char *agent, uint64_t sent_unix_ns, uint64_t now_unix_ns)
{
    pthread_mutex_lock(&a->lock);
    struct known *k = find_or_add(a, agent);
    if (k) {
        k->status.last_seen_unix_ns = now_unix_ns;
        if (sent_unix_ns)
            learn_skew(k, (int64_t)(now_unix_ns - sent_unix_ns), now_unix_ns);
    }
    pthread_mutex_unlock(&a->lock);
}

int64_t agents_skew(struct agents *a, const char *agent)
{
    pthread_mutex_lock(&a->lock);
    size_t at = place_of(a, agent);
    bool known = at < a->count && strcmp(a->list[at].status.id, agent) == 0;
    int64_t skew_ns = known ? a->list[at].status.clock_skew_ns : 0;
    pthread_mutex_unlock(&a->lock);
    return skew_ns;
}

static void copy_text(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

static void take_report(struct status_agent *s, const Weft__AgentReport *r)
{
    copy_text(s->host, sizeof s->host, r->host);
    copy_text(s->version, sizeof s->version, r->version);
    copy_text(s->problem, sizeof s->problem, r->problem);
    s->start_unix_ns = r->start_unix_ns;
    s->processes = r->processes;
    s->spans = r->spans;
    s->batches = r->batches;
    s->sweep_lag_ns = r->sweep_lag_ns;
    s->spool_bytes = r->spool_bytes;
    s->spool_limit_bytes = r->spool_limit_bytes;
    s->spool_batches = r->spool_batches;
    s->cpu_ns = r->cpu_ns;
    s->resident_bytes = r->resident_bytes;
    s->reported = true;
}

int agents_report(struct agents *a, const char *agent, const void *bytes, size_t length)
{
    Weft__AgentReport *report = weft__agent_report__unpack(NULL, length, bytes);
    if (!report)
        return -1;
    pthread_mutex_lock(&a->lock);
    struct known *k = find_or_add(a, agent);
    if (k)
        take_report(&k->status, report);
    pthread_mutex_unlock(&a->lock);
    weft__agent_report__free_unpacked(report, NULL);
    return 0;
}

void agents_accepted(struct agents *a, const char *agent, uint64_t spans)
{
    pthread_mutex_lock(&a->lock);
    struct known *k = find_or_add(a, agent);
    if (k) {
        k->status.accepted_batches++;
        k->status.accepted_spans += spans;
    }
    pthread_mutex_unlock(&a->lock);
}

static bool is_connected(const struct status_agent *s, uint64_t now_unix_ns)
{
    return now_unix_ns < s->last_seen_unix_ns + CONNECTED_NS;
}

struct status_agent *agents_copy(struct agents *a, uint64_t now_unix_ns, size_t *count)
{
    pthread_mutex_lock(&a->lock);
    struct status_agent *list = malloc((a->count + 1) * sizeof *list);
    *count = list ? a->count : 0;
    for (size_t i = 0; i < *count; i++) {
        list[i] = a->list[i].status;
        list[i].connected = is_connected(&list[i], now_unix_ns);
    }
    pthread_mutex_unlock(&a->lock);
    return list;
}

unsigned agents_connected(struct agents *a, uint64_t now_unix_ns)
{
    unsigned connected = 0;
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < a->count; i++)
        connected += is_connected(&a->list[i].status, now_unix_ns);
    pthread_mutex_unlock(&a->lock);
    return connected;
}

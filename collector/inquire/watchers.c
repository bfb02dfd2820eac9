// SPDX-License-Identifier: Apache-2.0
#include "collector/inquire/watchers.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

enum { RING_LEAST = 256, RING_MOST = 1 << 16, SILENT_MS = 10000 };

struct watcher {
    char agent[LINK_AGENT_ID_MAX + 1];
    struct inquiry_end *caches;
    uint32_t cache_count;
    int64_t heard_ms;
    struct inquiry *ring; /* numbers [first, next) wait */
    uint32_t capacity;    /* a power of two */
    uint64_t first, next;
};

/* Who watches a cache. */
struct place {
    struct inquiry_end cache;
    struct watcher *watcher;
};

struct watchers {
    pthread_mutex_t mutex; /* for everything */
    uint64_t epoch;
    struct watcher **all; /* by agent */
    uint32_t count;
    struct place *places; /* by cache, then watcher */
    uint32_t place_count;
    struct watchers_stats stats;
};

struct watchers *watchers_create(void)
{
    struct watchers *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->all = calloc(WATCHERS_MOST, sizeof(struct watcher *));
    if (!w->all) {
        free(w);
        return NULL;
    }
    pthread_mutex_init(&w->mutex, NULL);
    randombytes_buf(&w->epoch, sizeof w->epoch);
    w->epoch |= 1; /* 0 is none */
    return w;
}

static void watcher_free(struct watcher *w)
{
    free(w->caches);
    free(w->ring);
    free(w);
}

void watchers_destroy(struct watchers **watchers)
{
    struct watchers *w = *watchers;
    if (!w)
        return;
    for (uint32_t i = 0; i < w->count; i++)
        watcher_free(w->all[i]);
    free(w->all);
    free(w->places);
    pthread_mutex_destroy(&w->mutex);
    free(w);
    *watchers = NULL;
}

/* ---- who watches what -------------------------------------------------------------------- */

static int compare_ends(const struct inquiry_end *a, const struct inquiry_end *b)
{
    int ip = memcmp(a->ip, b->ip, sizeof a->ip);
    return ip ? ip : (int)a->port - (int)b->port;
}

static int by_cache(const void *a, const void *b)
{
    const struct place *left = a, *right = b;
    int order = compare_ends(&left->cache, &right->cache);
    return order ? order : strcmp(left->watcher->agent, right->watcher->agent);
}

/* False: no memory; places stay as they were. */
static bool place_all(struct watchers *w)
{
    size_t count = 0;
    for (uint32_t i = 0; i < w->count; i++)
        count += w->all[i]->cache_count;
    struct place *places = calloc(count + 1, sizeof *places);
    if (!places)
        return false;
    struct place *next = places;
    for (uint32_t i = 0; i < w->count; i++)
        for (uint32_t n = 0; n < w->all[i]->cache_count; n++)
            *next++ = (struct place){w->all[i]->caches[n], w->all[i]};
    qsort(places, count, sizeof *places, by_cache);
    free(w->places);
    w->places = places;
    w->place_count = (uint32_t)count;
    return true;
}

/* A loopback address is the asking host's own, and so is one that it watches itself: bridges of
 * containers have the same one on many hosts. Of others the first by name is asked. */
static struct watcher *watcher_of(const struct watchers *w, const char *agent,
                                  const struct inquiry_end *cache)
{
    struct watcher *other = NULL;
    int64_t now_ms = clock_monotonic_ms();
    uint32_t low = 0, high = w->place_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_ends(&w->places[middle].cache, cache) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < w->place_count && compare_ends(&w->places[low].cache, cache) == 0; low++) {
        struct watcher *watcher = w->places[low].watcher;
        if (now_ms - watcher->heard_ms > SILENT_MS)
            continue;
        if (strcmp(watcher->agent, agent) == 0)
            return watcher;
        other = other ? other : watcher;
    }
    return inquiry_end_is_loopback(cache) ? NULL : other;
}

static void drop_watcher(struct watchers *w, uint32_t at)
{
    struct watcher *gone = w->all[at];
    memmove(&w->all[at], &w->all[at + 1], (--w->count - at) * sizeof *w->all);
    w->stats.dropped += gone->next - gone->first;
    w->stats.waiting -= (uint32_t)(gone->next - gone->first);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < w->place_count; i++)
        if (w->places[i].watcher != gone)
            w->places[kept++] = w->places[i];
    w->place_count = kept;
    watcher_free(gone);
}

static void drop_silent(struct watchers *w, int64_t now_ms)
{
    for (uint32_t i = w->count; i-- > 0;)
        if (now_ms - w->all[i]->heard_ms > SILENT_MS)
            drop_watcher(w, i);
}

/* NULL: no memory, or too many. One that was dropped and comes back goes on counting where it is:
 * else it would take what is new for what it has. */
static struct watcher *find_or_add(struct watchers *w, const char *agent,
                                   const struct inquiry_watch *said)
{
    uint32_t at = 0;
    while (at < w->count && strcmp(w->all[at]->agent, agent) < 0)
        at++;
    if (at < w->count && strcmp(w->all[at]->agent, agent) == 0)
        return w->all[at];
    struct watcher *added = w->count < WATCHERS_MOST ? calloc(1, sizeof *added) : NULL;
    if (!added)
        return NULL;
    memccpy(added->agent, agent, '\0', sizeof added->agent - 1);
    if (said->epoch == w->epoch)
        added->first = added->next = said->received;
    memmove(&w->all[at + 1], &w->all[at], (w->count++ - at) * sizeof *w->all);
    w->all[at] = added;
    return added;
}

static bool same_caches(const struct watcher *watcher, const struct inquiry_watch *said)
{
    if (watcher->cache_count != said->cache_count)
        return false;
    for (uint32_t i = 0; i < said->cache_count; i++)
        if (compare_ends(&watcher->caches[i], &said->caches[i]) != 0)
            return false;
    return true;
}

static bool set_caches(struct watchers *w, struct watcher *watcher,
                       const struct inquiry_watch *said)
{
    if (same_caches(watcher, said))
        return true;
    struct inquiry_end *caches = calloc(said->cache_count + 1, sizeof *caches);
    if (!caches)
        return false;
    memcpy(caches, said->caches, said->cache_count * sizeof *caches);
    free(watcher->caches);
    watcher->caches = caches;
    watcher->cache_count = said->cache_count;
    return place_all(w);
}

/* ---- asking ------------------------------------------------------------------------------ */

static void forget_oldest(struct watchers *w, struct watcher *watcher)
{
    watcher->first++;
    w->stats.waiting--;
    w->stats.dropped++;
}

static bool grow(struct watcher *watcher)
{
    uint32_t capacity = watcher->capacity ? watcher->capacity * 2 : RING_LEAST;
    struct inquiry *ring = capacity <= RING_MOST ? calloc(capacity, sizeof *ring) : NULL;
    if (!ring)
        return false;
    for (uint64_t n = watcher->first; n < watcher->next; n++)
        ring[n & (capacity - 1)] = watcher->ring[n & (watcher->capacity - 1)];
    free(watcher->ring);
    watcher->ring = ring;
    watcher->capacity = capacity;
    return true;
}

static void enqueue(struct watchers *w, struct watcher *watcher, const struct inquiry *i)
{
    bool full = watcher->next - watcher->first == watcher->capacity;
    bool too_many = w->stats.waiting >= WATCHERS_WAITING_MOST;
    if ((full || too_many) && (too_many || !grow(watcher))) {
        if (watcher->next == watcher->first) { /* all the room is others', or there is none */
            w->stats.dropped++;
            return;
        }
        forget_oldest(w, watcher);
    }
    watcher->ring[watcher->next++ & (watcher->capacity - 1)] = *i;
    w->stats.waiting++;
    w->stats.asked++;
}

bool watchers_ask(struct watchers *w, const struct inquiry *i)
{
    pthread_mutex_lock(&w->mutex);
    struct watcher *watcher = watcher_of(w, i->agent, &i->cache);
    if (watcher)
        enqueue(w, watcher, i);
    else
        w->stats.unwatched++;
    pthread_mutex_unlock(&w->mutex);
    return watcher != NULL;
}

bool watchers_any(struct watchers *w)
{
    pthread_mutex_lock(&w->mutex);
    bool any = w->place_count > 0;
    pthread_mutex_unlock(&w->mutex);
    return any;
}

bool watchers_watched(struct watchers *w, const char *agent, const struct inquiry_end *cache)
{
    pthread_mutex_lock(&w->mutex);
    bool watched = watcher_of(w, agent, cache) != NULL;
    pthread_mutex_unlock(&w->mutex);
    return watched;
}

/* ---- answering --------------------------------------------------------------------------- */

static void forget_received(struct watchers *w, struct watcher *watcher,
                            const struct inquiry_watch *said)
{
    if (said->epoch != w->epoch)
        return;
    uint64_t received = said->received < watcher->next ? said->received : watcher->next;
    if (received <= watcher->first)
        return;
    w->stats.given += received - watcher->first;
    w->stats.waiting -= (uint32_t)(received - watcher->first);
    watcher->first = received;
}

/* What belongs to a connection stands together, in the order of begins. */
static int by_connection(const void *a, const void *b)
{
    const struct inquiry *left = a, *right = b;
    int order = compare_ends(&left->client, &right->client);
    if (order == 0)
        order = compare_ends(&left->cache, &right->cache);
    if (order == 0)
        order = strcmp(left->agent, right->agent);
    if (order == 0)
        order = (left->start_unix_ns > right->start_unix_ns) -
                (left->start_unix_ns < right->start_unix_ns);
    return order;
}

static int write_answer(struct watchers *w, const struct watcher *watcher, int64_t skew_ns,
                        struct buffer *answer)
{
    uint64_t count = watcher->next - watcher->first;
    if (count > INQUIRIES_MOST)
        count = INQUIRIES_MOST;
    struct inquiry *some = calloc(count + 1, sizeof *some);
    if (!some)
        return -1;
    for (uint64_t n = 0; n < count; n++) {
        some[n] = watcher->ring[(watcher->first + n) & (watcher->capacity - 1)];
        some[n].clock_offset_ns -= skew_ns;
    }
    qsort(some, count, sizeof *some, by_connection);
    int result = inquiries_write(answer, w->epoch, watcher->first, some, count);
    free(some);
    return result;
}

int watchers_watch(struct watchers *w, const char *agent, int64_t skew_ns, const void *body,
                   size_t length, struct buffer *answer)
{
    struct inquiry_watch said;
    if (inquiry_watch_read(&said, body, length) != 0)
        return -1;
    int result = -1;
    int64_t now_ms = clock_monotonic_ms();
    pthread_mutex_lock(&w->mutex);
    struct watcher *watcher = find_or_add(w, agent, &said);
    if (watcher) {
        watcher->heard_ms = now_ms;
        drop_silent(w, now_ms);
    }
    if (watcher && set_caches(w, watcher, &said)) {
        forget_received(w, watcher, &said);
        result = write_answer(w, watcher, skew_ns, answer);
    }
    pthread_mutex_unlock(&w->mutex);
    return result;
}

void watchers_stats(struct watchers *w, struct watchers_stats *out)
{
    pthread_mutex_lock(&w->mutex);
    *out = w->stats;
    out->watchers = w->count;
    out->caches = w->place_count;
    pthread_mutex_unlock(&w->mutex);
}

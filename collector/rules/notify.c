// SPDX-License-Identifier: Apache-2.0
#include "collector/rules/notify.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/condition.h"
#include "lib/base/log.h"

enum { TIMEOUT_MS = 10000, LAST_TRY_MS = 1000, PAUSE_FIRST_MS = 500, PAUSE_MOST_MS = 30000 };

struct queued {
    struct queued *next;
    size_t length;
    char json[];
};

struct receiver {
    char *url;
    struct notifier *notifier;
    pthread_t thread;
    bool runs;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct queued *first, **last;
    size_t count;
};

struct notifier {
    struct receiver *receivers;
    size_t count;
    atomic_uint_fast64_t sent, failed, dropped;
    atomic_bool stopping;
    atomic_int_fast64_t stop_by_ms; /* requests under way end then */
};

/* ---- URLs -------------------------------------------------------------------------------- */

/* The next of the list, malloc'ed, without space and slashes at its end; NULL: no further. */
static char *next_url(const char **urls)
{
    while (*urls && **urls) {
        size_t length = strcspn(*urls, ",");
        const char *begin = *urls;
        *urls += length + (begin[length] == ',');
        while (length > 0 && *begin == ' ') {
            begin++;
            length--;
        }
        while (length > 0 && strchr(" /", begin[length - 1]))
            length--;
        if (length > 0)
            return strndup(begin, length);
    }
    return NULL;
}

int notify_check_urls(const char *urls, char *why, size_t why_size)
{
    for (char *url; (url = next_url(&urls)) != NULL; free(url)) {
        if (strncmp(url, "http://", 7) == 0 && url[7] && !strpbrk(url, " ?#\"<>\\"))
            continue;
        snprintf(why, why_size, "alertmanagers: found \"%.200s\", expected http://HOST:PORT", url);
        free(url);
        return -1;
    }
    return 0;
}

/* ---- sending ----------------------------------------------------------------------------- */

static size_t ignore_body(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

/* Ends a request that is under way when the notifier stops. */
static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct receiver *r = context;
    (void)a, (void)b, (void)c, (void)d;
    return clock_monotonic_ms() > atomic_load(&r->notifier->stop_by_ms);
}

enum outcome { TAKEN, REFUSED, FAILED };

static enum outcome post(struct receiver *r, const struct buffer *body)
{
    long status = 0;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (curl && headers) {
        curl_easy_setopt(curl, CURLOPT_URL, r->url);
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->data);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->length);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore_body);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                         (long)(atomic_load(&r->notifier->stopping) ? LAST_TRY_MS : TIMEOUT_MS));
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, r);
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    }
    curl_slist_free_all(headers);
    if (curl)
        curl_easy_cleanup(curl);
    if (code == CURLE_OK && status / 100 == 2)
        return TAKEN;
    atomic_fetch_add(&r->notifier->failed, 1);
    if (code == CURLE_OK)
        LOG_WARN_EVERY("alerts: %s answers %ld", r->url, status);
    else
        LOG_WARN_EVERY("alerts: %s: %s", r->url, curl_easy_strerror(code));
    return code == CURLE_OK && status / 100 == 4 && status != 429 ? REFUSED : FAILED;
}

/* Waits for something to send and takes it. 0: the end. Under the lock. */
static size_t take(struct receiver *r, struct queued *list[NOTIFY_BATCH_MAX])
{
    size_t count = 0;
    while (r->count == 0 && !atomic_load(&r->notifier->stopping))
        pthread_cond_wait(&r->changed, &r->lock);
    while (r->first && count < NOTIFY_BATCH_MAX) {
        list[count++] = r->first;
        r->first = r->first->next;
        r->count--;
    }
    if (!r->first)
        r->last = &r->first;
    return count;
}

static void pause_for(struct receiver *r, int64_t ms)
{
    int64_t until_ms = clock_monotonic_ms() + ms;
    pthread_mutex_lock(&r->lock);
    while (!atomic_load(&r->notifier->stopping) && condition_wait(&r->changed, &r->lock, until_ms))
        ;
    pthread_mutex_unlock(&r->lock);
}

/* Until it is taken or refused; when all stops, once. */
static bool deliver(struct receiver *r, const struct buffer *body)
{
    int64_t pause_ms = PAUSE_FIRST_MS;
    for (;;) {
        bool last = atomic_load(&r->notifier->stopping);
        enum outcome o = body->failed ? REFUSED : post(r, body);
        if (o != FAILED || last)
            return o == TAKEN;
        pause_for(r, pause_ms);
        pause_ms = pause_ms * 2 < PAUSE_MOST_MS ? pause_ms * 2 : PAUSE_MOST_MS;
    }
}

static void *run(void *context)
{
    struct receiver *r = context;
    struct queued *list[NOTIFY_BATCH_MAX];
    bool reached = true;
    for (;;) {
        pthread_mutex_lock(&r->lock);
        size_t count = take(r, list);
        pthread_mutex_unlock(&r->lock);
        if (count == 0)
            return NULL;
        struct buffer body = {0};
        for (size_t i = 0; i < count; i++) {
            buffer_byte(&body, i ? ',' : '[');
            buffer_append(&body, list[i]->json, list[i]->length);
            free(list[i]);
        }
        buffer_byte(&body, ']');
        bool stopping = atomic_load(&r->notifier->stopping);
        reached = stopping && !reached ? false : deliver(r, &body);
        atomic_fetch_add(reached ? &r->notifier->sent : &r->notifier->dropped, count);
        buffer_fini(&body);
    }
}

void notifier_put(struct notifier *n, const char *json, size_t length)
{
    for (size_t i = 0; i < n->count; i++) {
        struct receiver *r = &n->receivers[i];
        struct queued *fresh = malloc(sizeof *fresh + length), *oldest = NULL;
        if (!fresh) {
            atomic_fetch_add(&n->dropped, 1);
            continue;
        }
        fresh->next = NULL;
        fresh->length = length;
        memcpy(fresh->json, json, length);
        pthread_mutex_lock(&r->lock);
        *r->last = fresh;
        r->last = &fresh->next;
        if (++r->count > NOTIFY_QUEUE_MAX) {
            oldest = r->first;
            r->first = oldest->next;
            r->count--;
        }
        pthread_cond_signal(&r->changed);
        pthread_mutex_unlock(&r->lock);
        if (oldest) {
            atomic_fetch_add(&n->dropped, 1);
            LOG_WARN_EVERY("alerts: the queue of %s is full, the oldest are dropped", r->url);
        }
        free(oldest);
    }
}

/* ---- the whole --------------------------------------------------------------------------- */

static int add_receiver(struct notifier *n, const char *url)
{
    struct receiver *r = &n->receivers[n->count];
    *r = (struct receiver){.notifier = n, .last = &r->first};
    if (asprintf(&r->url, "%s/api/v2/alerts", url) < 0)
        return -1;
    condition_init(&r->changed);
    pthread_mutex_init(&r->lock, NULL);
    n->count++;
    r->runs = pthread_create(&r->thread, NULL, run, r) == 0;
    return r->runs ? 0 : -1;
}

struct notifier *notifier_create(const char *urls, char *why, size_t why_size)
{
    struct notifier *n = calloc(1, sizeof *n);
    size_t commas = 1;
    if (notify_check_urls(urls, why, why_size) != 0) {
        free(n);
        return NULL;
    }
    for (const char *c = urls; c && *c; c++)
        commas += *c == ',';
    if (n) {
        atomic_init(&n->stop_by_ms, INT64_MAX);
        n->receivers = calloc(commas, sizeof *n->receivers);
    }
    bool good = n && n->receivers && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    for (char *url; good && (url = next_url(&urls)) != NULL; free(url))
        good = add_receiver(n, url) == 0;
    if (good)
        return n;
    snprintf(why, why_size, "alertmanagers: no memory, or no thread can be started");
    notifier_destroy(&n);
    return NULL;
}

void notifier_destroy(struct notifier **place)
{
    struct notifier *n = *place;
    if (!n)
        return;
    atomic_store(&n->stop_by_ms, clock_monotonic_ms() + LAST_TRY_MS);
    atomic_store(&n->stopping, true);
    for (size_t i = 0; i < n->count; i++) {
        struct receiver *r = &n->receivers[i];
        pthread_mutex_lock(&r->lock);
        pthread_cond_signal(&r->changed);
        pthread_mutex_unlock(&r->lock);
    }
    for (size_t i = 0; i < n->count; i++) {
        struct receiver *r = &n->receivers[i];
        if (r->runs)
            pthread_join(r->thread, NULL);
        while (r->first) {
            struct queued *first = r->first;
            r->first = first->next;
            free(first);
        }
        pthread_cond_destroy(&r->changed);
        pthread_mutex_destroy(&r->lock);
        free(r->url);
    }
    free(n->receivers);
    free(n);
    *place = NULL;
}

void notifier_stats(struct notifier *n, struct notifier_stats *out)
{
    *out = (struct notifier_stats){atomic_load(&n->sent), atomic_load(&n->failed),
                                   atomic_load(&n->dropped)};
}

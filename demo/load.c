// SPDX-License-Identifier: Apache-2.0
/* The demo's users: dashboards and posts at a given rate, by a few threads, until SIGTERM or for
 * a number of seconds. Prints one line of JSON: requests, errors, latency.
 *
 * Arrivals are spaced evenly and do not wait for answers beyond the threads there are; readers
 * are drawn evenly, authors by Zipf's law. */
#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "demo/people.h"
#include "lib/base/clock.h"

enum { THREADS = 6, LATENCIES_MAX = 1 << 20 };

static struct {
    int port;
    double rate, post_share;
    uint64_t end_ns;
} plan;
static volatile sig_atomic_t ending;

struct user {
    unsigned number;
    uint64_t random;
    unsigned long reads, posts, errors;
    double *latency_ms;
    unsigned long latencies;
};

static double draw(struct user *u)
{
    u->random = people_mix(u->random + 0x9e3779b97f4a7c15u);
    return (double)(u->random >> 11) / (double)(1ull << 53);
}

/* Authors: the inverse of a Zipf law with exponent 1, near enough. */
static unsigned draw_author(struct user *u)
{
    double x = 1;
    for (double share = draw(u); share > 0.12 && x < PEOPLE; share -= 0.12)
        x *= 3.2;
    unsigned author = (unsigned)(x * (1 + 2 * draw(u)));
    return author < 1 ? 1 : author > PEOPLE ? PEOPLE : author;
}

static size_t ignore(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

static void ask(struct user *u, CURL *curl)
{
    char url[128];
    bool post = draw(u) < plan.post_share;
    unsigned user = post ? draw_author(u) : (unsigned)(draw(u) * PEOPLE) + 1;
    curl_easy_reset(curl);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/%s?user=%u", plan.port,
             post ? "post" : "dashboard", user);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 5000L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (post)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "A picture of a cat, and what she thinks of it");
    uint64_t start = clock_monotonic_ns();
    long status = 0;
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    u->errors += code != CURLE_OK || status != 200;
    *(post ? &u->posts : &u->reads) += 1;
    if (u->latencies < LATENCIES_MAX)
        u->latency_ms[u->latencies++] = (double)(clock_monotonic_ns() - start) / 1e6;
}

static void *live(void *context)
{
    struct user *u = context;
    CURL *curl = curl_easy_init();
    uint64_t interval = (uint64_t)(1e9 * THREADS / plan.rate);
    uint64_t next = clock_monotonic_ns() + interval * u->number / THREADS;
    while (curl && !ending && clock_monotonic_ns() < plan.end_ns) {
        uint64_t now = clock_monotonic_ns();
        if (now < next) {
            struct timespec pause = {.tv_nsec = (long)((next - now) % 1000000000u)};
            nanosleep(&pause, NULL);
        }
        ask(u, curl);
        next += interval;
        /* More than a second behind: no storm afterwards. */
        if (next + 1000000000u < clock_monotonic_ns())
            next = clock_monotonic_ns();
    }
    curl_easy_cleanup(curl);
    return NULL;
}

static void on_signal(int signal)
{
    (void)signal;
    ending = 1;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_summary(struct user *users)
{
    unsigned long reads = 0, posts = 0, errors = 0, n = 0;
    double *all = NULL;
    for (int i = 0; i < THREADS; i++) {
        struct user *u = &users[i];
        double *longer = realloc(all, (n + u->latencies + 1) * sizeof *all);
        if (!longer)
            break;
        all = longer;
        memcpy(all + n, u->latency_ms, u->latencies * sizeof *all);
        n += u->latencies;
        reads += u->reads;
        posts += u->posts;
        errors += u->errors;
    }
    if (n)
        qsort(all, n, sizeof *all, ascending);
    printf(
        "{\"reads\": %lu, \"posts\": %lu, \"errors\": %lu, \"p50_ms\": %.2f, \"p99_ms\": %.2f}\n",
        reads, posts, errors, n ? all[n / 2] : 0, n ? all[n * 99 / 100] : 0);
    free(all);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: weft-demo-load WEB-PORT REQUESTS-PER-SECOND POST-SHARE SECONDS\n");
        return 2;
    }
    plan.port = atoi(argv[1]);
    plan.rate = atof(argv[2]) > 0 ? atof(argv[2]) : 1;
    plan.post_share = atof(argv[3]);
    double seconds = atof(argv[4]);
    plan.end_ns = seconds > 0 ? clock_monotonic_ns() + (uint64_t)(seconds * 1e9) : UINT64_MAX;
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    curl_global_init(CURL_GLOBAL_DEFAULT);

    struct user users[THREADS];
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        users[i] = (struct user){.number = i, .random = i + 1};
        users[i].latency_ms = malloc(LATENCIES_MAX * sizeof(double));
        if (!users[i].latency_ms || pthread_create(&threads[i], NULL, live, &users[i]) != 0)
            return 1;
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    print_summary(users);
    for (int i = 0; i < THREADS; i++)
        free(users[i].latency_ms);
    return 0;
}

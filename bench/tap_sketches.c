// SPDX-License-Identifier: Apache-2.0
/* What counting hot keys costs, and how true it is: nanoseconds an update, and the error against
 * exact counts on Zipf streams, by memory. Seeded. */
#include <math.h>
#include <string.h>

#include "bench/measure.h"
#include "lib/model/distinct.h"
#include "lib/model/topk.h"

enum { KEYS = 1000000, UPDATES = 5000000, TOP = 100, REPEATS = 3 };

static char names[KEYS][20];
static uint64_t hashes[KEYS], exact[KEYS], sorted[KEYS];
static uint32_t stream[UPDATES];
static double cumulative[KEYS];
static uint64_t seed = 1;

static double random_unit(void)
{
    uint64_t x = seed += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((x ^ (x >> 31)) >> 11) / 9007199254740992.0;
}

static uint32_t draw(void)
{
    double at = random_unit() * cumulative[KEYS - 1];
    uint32_t low = 0, high = KEYS - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (cumulative[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int greater(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

static void prepare(double exponent)
{
    double sum = 0;
    memset(exact, 0, sizeof exact);
    for (int i = 0; i < KEYS; i++)
        cumulative[i] = sum += pow(i + 1, -exponent);
    for (int i = 0; i < UPDATES; i++)
        exact[stream[i] = draw()]++;
    memcpy(sorted, exact, sizeof sorted);
    qsort(sorted, KEYS, sizeof sorted[0], greater);
}

/* How many of the TOP keys that are told are among the TOP that are. */
static int right_ones(const struct topk *t)
{
    const struct topk_entry *list[TOP];
    size_t count = topk_list(t, list, TOP);
    int right = 0;
    for (size_t i = 0; i < count; i++)
        for (uint32_t key = 0; key < 10 * TOP; key++)
            right += hashes[key] == list[i]->hash && exact[key] >= sorted[TOP - 1];
    return right;
}

/* What it costs only to look at the keys, which lie anywhere in 28 MB. */
static double floor_ns(void)
{
    double took[REPEATS];
    volatile uint64_t sum = 0;
    for (int r = 0; r < REPEATS; r++) {
        double begun = measure_cpu_ns();
        for (int i = 0; i < UPDATES; i++)
            sum += hashes[stream[i]] + strlen(names[stream[i]]);
        took[r] = (measure_cpu_ns() - begun) / UPDATES;
    }
    return measure_quantile(took, REPEATS, 0.5);
}

static void measure(double exponent, uint32_t capacity)
{
    double took[REPEATS];
    struct topk t;
    for (int r = 0; r < REPEATS; r++) {
        if (topk_init(&t, capacity) != 0)
            exit(1);
        double begun = measure_cpu_ns();
        for (int i = 0; i < UPDATES; i++) {
            uint32_t key = stream[i];
            topk_add(&t, hashes[key], names[key], strlen(names[key]), 1);
        }
        took[r] = (measure_cpu_ns() - begun) / UPDATES;
        if (r + 1 < REPEATS)
            topk_fini(&t);
    }
    double worst = 0;
    for (uint32_t key = 0; key < TOP; key++) {
        const struct topk_entry *e = topk_find(&t, hashes[key]);
        double off = (double)(exact[key] - (e ? e->weight : 0)) / (double)exact[key];
        worst = off > worst ? off : worst;
    }
    printf("| %.2f | %u | %.0f KB | %.1f | %.1f | %.4f %% | %.4f %% | %.1f %% | %d of %d |\n",
           exponent, t.most, (double)topk_bytes(&t) / 1e3, measure_quantile(took, REPEATS, 0.5),
           floor_ns(), 100.0 * (double)topk_error(&t) / (double)t.total, 100.0 / (t.most / 2.0),
           100 * worst, right_ones(&t), TOP);
    topk_fini(&t);
}

/* What the end of a window holds up: a list of the heaviest of each kind of a cache, and clearing
 * them, of tables that are full; keys as agent/tap/hot.c has them. */
static void measure_turn(uint32_t keys)
{
    const uint32_t capacities[] = {keys, keys, keys, keys / 4, keys / 4};
    struct topk tables[5];
    const struct topk_entry *list[TOP];
    double listing[REPEATS], clearing[REPEATS];
    for (int k = 0; k < 5; k++)
        if (topk_init(&tables[k], capacities[k]) != 0)
            exit(1);
    for (int r = 0; r < REPEATS; r++) {
        for (int k = 0; k < 5; k++)
            for (uint32_t i = 0; i < tables[k].most; i++)
                topk_add(&tables[k], hashes[i], names[i], strlen(names[i]), 1 + hashes[i] % 1000);
        double begun = measure_cpu_ns();
        for (int k = 0; k < 5; k++)
            topk_list(&tables[k], list, TOP);
        double listed = measure_cpu_ns();
        for (int k = 0; k < 5; k++)
            topk_clear(&tables[k]);
        listing[r] = (listed - begun) / 1e6;
        clearing[r] = (measure_cpu_ns() - listed) / 1e6;
    }
    printf("| %u | %.2f | %.2f |\n", keys, measure_quantile(listing, REPEATS, 0.5),
           measure_quantile(clearing, REPEATS, 0.5));
    for (int k = 0; k < 5; k++)
        topk_fini(&tables[k]);
}

int main(void)
{
    static const double exponents[] = {0.8, 0.99, 1.2};
    for (int i = 0; i < KEYS; i++) {
        int n = snprintf(names[i], sizeof names[i], "user:%d:feed", i);
        hashes[i] = topk_hash(names[i], (size_t)n);
    }
    printf("%d updates, %d keys by Zipf's law\n\n"
           "| exponent | counters | memory | ns an update | of these, to fetch keys | error that "
           "is told | its bound | "
           "worst of the %d heaviest | told rightly |\n"
           "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
           UPDATES, KEYS, TOP);
    for (size_t i = 0; i < sizeof exponents / sizeof exponents[0]; i++) {
        prepare(exponents[i]);
        for (uint32_t capacity = 384; capacity <= 6144; capacity *= 4)
            measure(exponents[i], capacity);
    }
    struct distinct d = {0};
    double begun = measure_cpu_ns();
    for (int i = 0; i < UPDATES; i++)
        distinct_add_hash(&d, hashes[stream[i]]);
    printf("\nHyperLogLog: %.1f ns an update\n", (measure_cpu_ns() - begun) / UPDATES);
    printf("\nA window's end, of one cache\n\n"
           "| `keys` | ms to find the %d heaviest | ms to clear |\n| ---: | ---: | ---: |\n",
           TOP);
    for (uint32_t keys = 1000; keys <= 100000; keys *= 10)
        measure_turn(keys);
    return 0;
}

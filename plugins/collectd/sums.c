// SPDX-License-Identifier: Apache-2.0
#include "plugins/collectd/sums.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { BUCKETS = 4096 }; /* a power of two */

struct sum {
    struct sum *next; /* of its bucket */
    double value;
    size_t length;
    char key[];
};

struct sums {
    pthread_mutex_t lock;
    size_t count;
    struct sum *buckets[BUCKETS];
};

struct sums *sums_create(void)
{
    struct sums *s = calloc(1, sizeof *s);
    if (s)
        pthread_mutex_init(&s->lock, NULL);
    return s;
}

void sums_destroy(struct sums **place)
{
    struct sums *s = *place;
    if (!s)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (s->buckets[i]) {
            struct sum *next = s->buckets[i]->next;
            free(s->buckets[i]);
            s->buckets[i] = next;
        }
    pthread_mutex_destroy(&s->lock);
    free(s);
    *place = NULL;
}

/* Holding the lock. */
static struct sum *find(struct sums *s, const void *key, size_t length)
{
    struct sum **bucket = &s->buckets[XXH3_64bits(key, length) & (BUCKETS - 1)];
    for (struct sum *sum = *bucket; sum; sum = sum->next)
        if (sum->length == length && memcmp(sum->key, key, length) == 0)
            return sum;
    struct sum *sum = s->count < SUMS_MAX ? malloc(sizeof *sum + length) : NULL;
    if (!sum)
        return NULL;
    *sum = (struct sum){.next = *bucket, .length = length};
    memcpy(sum->key, key, length);
    *bucket = sum;
    s->count++;
    return sum;
}

bool sums_add(struct sums *s, const void *key, size_t length, double value, double *sum)
{
    pthread_mutex_lock(&s->lock);
    struct sum *found = find(s, key, length);
    if (found)
        *sum = found->value += value;
    pthread_mutex_unlock(&s->lock);
    return found != NULL;
}

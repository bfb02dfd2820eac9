// SPDX-License-Identifier: Apache-2.0
/* Sends alerts to Alertmanagers: POST of a JSON array to URL/api/v2/alerts.
 *
 * Each receiver has a bounded queue and a thread of its own, so that one that is slow or dead holds
 * up nobody: the oldest go where a queue is full. What a receiver does not take is tried again,
 * with a pause that grows to 30 s; what it refuses (4xx) is dropped. All of it is counted. */
#ifndef WEFT_COLLECTOR_RULES_NOTIFY_H
#define WEFT_COLLECTOR_RULES_NOTIFY_H

#include <stddef.h>
#include <stdint.h>

struct notifier;

enum { NOTIFY_QUEUE_MAX = 4096, NOTIFY_BATCH_MAX = 64 };

/* "http://HOST:PORT[/PATH]", with commas between; NULL: none. -1 and a sentence. */
int notify_check_urls(const char *urls, char *why, size_t why_size);
/* NULL and a sentence. */
struct notifier *notifier_create(const char *urls, char *why, size_t why_size);
/* Stops the threads; what is queued is given up, but for one last try. */
void notifier_destroy(struct notifier **n);
/* Queues one alert (a JSON object, copied) for all receivers. Never waits. One thread. */
void notifier_put(struct notifier *n, const char *json, size_t length);

struct notifier_stats {
    uint64_t sent, failed, dropped; /* alerts taken; requests that failed; alerts given up */
};
void notifier_stats(struct notifier *n, struct notifier_stats *out);

#endif

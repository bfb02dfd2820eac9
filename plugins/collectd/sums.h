// SPDX-License-Identifier: Apache-2.0
/* Running sums of what collectd calls ABSOLUTE: a count that its source sets back at each reading.
 * Series are counters that only rise, so that one that comes twice changes nothing.
 *
 * Any thread. Bounded: of SUMS_MAX series. */
#ifndef WEFT_PLUGINS_COLLECTD_SUMS_H
#define WEFT_PLUGINS_COLLECTD_SUMS_H

#include <stdbool.h>
#include <stddef.h>

enum { SUMS_MAX = 16384 };

struct sums;

/* NULL: no memory. */
struct sums *sums_create(void);
void sums_destroy(struct sums **s);

/* Adds to the sum of the series with this key (bytes, copied); *sum is what it is then. False:
 * there are too many, or no memory. */
bool sums_add(struct sums *s, const void *key, size_t length, double value, double *sum);

#endif

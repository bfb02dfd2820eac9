// SPDX-License-Identifier: Apache-2.0
/* From collectd's structs to entries. Any thread. */
#ifndef WEFT_PLUGINS_COLLECTD_READINGS_H
#define WEFT_PLUGINS_COLLECTD_READINGS_H

#include "plugins/collectd/collectd.h"
#include "plugins/collectd/queue.h"
#include "plugins/collectd/sums.h"

/* Puts what the value list has: one entry for each data source, none for NaN. */
void readings_put(struct queue *q, struct sums *sums, const data_set_t *set,
                  const value_list_t *list);
void readings_put_notification(struct queue *q, const notification_t *n);

#endif

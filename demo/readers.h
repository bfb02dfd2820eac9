// SPDX-License-Identifier: Apache-2.0
/* Who reads the firehose, and how far behind: told as statistics under the names that the
 * firehose's dashboard asks for (docs/dashboards.md).
 *
 *     queue_published_total{queue}            messages that went in
 *     queue_taken_total{queue,consumer}       that a consumer has done
 *     queue_behind{queue,consumer}            that it has not done yet
 *     queue_lag_seconds{queue,consumer}       for how long the oldest of these waits
 *     queue_consumers{queue}                  who asked within the last seconds
 *
 * The side that has the queue tells them, so that a consumer which is dead falls behind for all
 * to see. Messages are numbered from 1 on, as they stand in the log. Any thread. */
#ifndef WEFT_DEMO_READERS_H
#define WEFT_DEMO_READERS_H

/* One more message stands in the log. */
void readers_published(void);
/* Consumer `cell` (1 and up) asks for more, and has done `taken` messages. */
void readers_read(unsigned cell, unsigned long taken);

#endif

// SPDX-License-Identifier: Apache-2.0
/* /proc/PID/stat, and small files beside it. No state; any thread. */
#ifndef WEFT_PROC_STAT_H
#define WEFT_PROC_STAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proc_stat {
    char name[64]; /* as the process calls itself: any bytes */
    char state;
    uint32_t parent;
    uint64_t user_ticks, system_ticks, threads, resident_pages;
    uint64_t start_time; /* ticks since the host began; with the pid, a process for good */
};

/* False: it is not such a text. The name in it may hold anything, ")" and newlines too. */
bool proc_stat_parse(const char *text, struct proc_stat *out);
/* False: there is no such process. `uid` (NULL: do not care): whose entry it is. */
bool proc_stat_read(uint32_t pid, struct proc_stat *out, uint32_t *uid);
/* It has ended, and waits for its parent to hear of it. */
bool proc_stat_is_dead(const struct proc_stat *s);

/* A small file of /proc/PID, terminated; cut off where it does not fit. False: it cannot be read.
 */
bool proc_read_text(uint32_t pid, const char *file, char *text, size_t size);
/* Where a link of /proc/PID leads ("exe", "ns/net"). False: it cannot be read. */
bool proc_read_link(uint32_t pid, const char *link, char *target, size_t size);

/* When a process of that start time began. */
uint64_t proc_start_unix_ns(uint64_t start_time);

#endif

// SPDX-License-Identifier: Apache-2.0
/* What a process' control groups tell: which systemd unit it belongs to, and how often the kernel
 * killed in its group because memory was out. Both versions of control groups. No state. */
#ifndef WEFT_BASE_CGROUP_H
#define WEFT_BASE_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CGROUP_PATH_MAX = 4096, CGROUP_UNIT_MAX = 256 };

/* The innermost service or scope in the text of /proc/PID/cgroup; false: there is none. */
bool cgroup_unit(const char *text, char unit[CGROUP_UNIT_MAX]);

/* The file in which the kernel counts what it killed in the group of `pid` for want of memory
 * (memory.events, or memory.oom_control of version 1). False: there is none that can be read. */
bool cgroup_find_kills(uint32_t pid, char path[CGROUP_PATH_MAX]);
/* The same, of the texts of /proc/PID/cgroup and /proc/self/mountinfo; the directory alone. */
bool cgroup_memory_directory(const char *groups, const char *mounts, bool *first_version,
                             char path[CGROUP_PATH_MAX]);
/* 0 where it cannot be read. */
uint64_t cgroup_count_kills(const char *path);

#endif

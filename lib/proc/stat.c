// SPDX-License-Identifier: Apache-2.0
#include "lib/proc/stat.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

bool proc_stat_parse(const char *text, struct proc_stat *out)
{
    const char *open = strchr(text, '('), *close = strrchr(text, ')');
    memset(out, 0, sizeof *out);
    if (!open || !close || close < open)
        return false;
    size_t length = (size_t)(close - open - 1);
    if (length >= sizeof out->name)
        length = sizeof out->name - 1;
    memcpy(out->name, open + 1, length);
    /* Fields 3, 4, 14, 15, 20, 22 and 24 of proc(5). */
    return sscanf(close + 1,
                  " %c %u %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %lu %*d %lu "
                  "%*u %lu",
                  &out->state, &out->parent, &out->user_ticks, &out->system_ticks, &out->threads,
                  &out->start_time, &out->resident_pages) == 7;
}

static bool read_at(const char *path, char *text, size_t size, uint32_t *uid)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, size - 1);
    bool known = n > 0 && (!uid || fstat(fd, &st) == 0);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    if (known && uid)
        *uid = st.st_uid;
    return known;
}

static void path_of(uint32_t pid, const char *file, char out[64])
{
    snprintf(out, 64, "/proc/%u/%s", pid, file);
}

bool proc_stat_read(uint32_t pid, struct proc_stat *out, uint32_t *uid)
{
    char path[64], text[1024];
    path_of(pid, "stat", path);
    return read_at(path, text, sizeof text, uid) && proc_stat_parse(text, out);
}

bool proc_stat_is_dead(const struct proc_stat *s)
{
    return s->state == 'Z' || s->state == 'X';
}

bool proc_read_text(uint32_t pid, const char *file, char *text, size_t size)
{
    char path[64];
    path_of(pid, file, path);
    return read_at(path, text, size, NULL);
}

bool proc_read_link(uint32_t pid, const char *link, char *target, size_t size)
{
    char path[64];
    path_of(pid, link, path);
    ssize_t n = readlink(path, target, size - 1);
    target[n > 0 ? n : 0] = '\0';
    return n > 0;
}

uint64_t proc_start_unix_ns(uint64_t start_time)
{
    struct timespec now, up;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &up);
    uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    uint64_t up_ns = (uint64_t)up.tv_sec * 1000000000u + (uint64_t)up.tv_nsec;
    uint64_t tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
    return now_ns - up_ns + start_time * tick_ns;
}

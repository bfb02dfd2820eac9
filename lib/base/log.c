// SPDX-License-Identifier: Apache-2.0
#include "lib/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"

enum { LINE_MAX_BYTES = 2048, INTERVAL_LEAST_MS = 1000, INTERVAL_MOST_MS = 300000 };

static const struct {
    const char *name;
    int priority; /* syslog's */
} levels[LOG_LEVELS] = {{"error", 3}, {"warn", 4}, {"info", 6}, {"debug", 7}};

static _Atomic int threshold = LOG_LEVEL_INFO;

static pthread_once_t journal_once = PTHREAD_ONCE_INIT;
static bool to_journal;

/* $JOURNAL_STREAM is "DEVICE:INODE" of the stream; it is inherited by children whose stderr is
 * elsewhere, so it must be compared. */
static void find_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    uint64_t device, inode;
    to_journal = stream && sscanf(stream, "%" SCNu64 ":%" SCNu64, &device, &inode) == 2 &&
                 fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

bool log_wants(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&threshold, memory_order_relaxed);
}

bool log_parse_level(const char *name, enum log_level *level)
{
    for (int i = 0; i < LOG_LEVELS; i++) {
        if (strcmp(name, levels[i].name) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static int print_head(char *line, size_t size, enum log_level level)
{
    pthread_once(&journal_once, find_journal);
    if (to_journal)
        return snprintf(line, size, "<%d>", levels[level].priority);
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t length = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
    return (int)length + snprintf(line + length, size - length, ".%03ldZ %-5s ",
                                  now.tv_nsec / 1000000, levels[level].name);
}

__attribute__((format(printf, 3, 0))) static void
write_line(enum log_level level, uint64_t suppressed, const char *format, va_list args)
{
    char line[LINE_MAX_BYTES];
    size_t room = sizeof line - 64; /* for the count and the newline */
    size_t head = (size_t)print_head(line, room, level);
    int text = vsnprintf(line + head, room - head, format, args);
    size_t length = head + (text < 0 ? 0 : (size_t)text);
    if (length > room - 1)
        length = room - 1;
    for (size_t i = head; i < length; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    }
    if (suppressed)
        length += (size_t)snprintf(line + length, sizeof line - length,
                                   " (and %" PRIu64 " more times)", suppressed);
    line[length++] = '\n';
    /* Nowhere to complain about a stderr that is gone. */
    ssize_t ignored = write(STDERR_FILENO, line, length);
    (void)ignored;
}

void log_write(enum log_level level, const char *format, ...)
{
    if (!log_wants(level))
        return;
    int error = errno;
    va_list args;
    va_start(args, format);
    write_line(level, 0, format, args);
    va_end(args);
    errno = error;
}

void log_write_site(enum log_level level, uint64_t suppressed, const char *format, ...)
{
    if (!log_wants(level))
        return;
    int error = errno;
    va_list args;
    va_start(args, format);
    write_line(level, suppressed, format, args);
    va_end(args);
    errno = error;
}

bool log_site_opens_at(struct log_site *site, int64_t now_ms, uint64_t *suppressed)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    bool opens = site->interval_ms == 0 || now_ms >= site->next_ms;
    if (opens) {
        bool afresh = site->interval_ms == 0 || now_ms >= site->next_ms + 2 * site->interval_ms;
        int64_t pause = afresh ? INTERVAL_LEAST_MS : site->interval_ms * 2;
        site->interval_ms = pause < INTERVAL_MOST_MS ? pause : INTERVAL_MOST_MS;
        site->next_ms = now_ms + site->interval_ms;
        *suppressed = site->suppressed;
        site->suppressed = 0;
    } else {
        site->suppressed++;
    }
    pthread_mutex_unlock(&lock);
    return opens;
}

bool log_site_opens(struct log_site *site, uint64_t *suppressed)
{
    int error = errno;
    bool opens = log_site_opens_at(site, clock_monotonic_ms(), suppressed);
    errno = error;
    return opens;
}

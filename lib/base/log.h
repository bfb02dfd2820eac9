// SPDX-License-Identifier: Apache-2.0
/* Messages of our daemons: one line each on stderr, written by a single write(2).
 *
 * With a UTC time and the level in front; under systemd (stderr is the stream that
 * $JOURNAL_STREAM names) with the level as sd-daemon's "<N>" and no time, as the journal has
 * its own. Control characters in a message become '?', so that nobody's data forges a line.
 *
 * Any thread may log. What may happen often is logged by LOG_EVERY and its forms: each call
 * site speaks at once the first time, then after 1 s, 2 s, 4 s … up to five minutes while it
 * keeps happening, saying how many it left out; after a quiet time it starts afresh.
 */
#ifndef WEFT_BASE_LOG_H
#define WEFT_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG, LOG_LEVELS };

/* What is above `level` is dropped from now on. Until then: INFO. */
void log_set_level(enum log_level level);
/* "error", "warn", "info", "debug". False, *level untouched, for anything else. */
bool log_parse_level(const char *name, enum log_level *level);
bool log_wants(enum log_level level);

/* Keeps errno. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One for each call site, zero-initialised, static. */
struct log_site {
    int64_t next_ms, interval_ms; /* not before; what the pause will be then */
    uint64_t suppressed;
};
/* Whether the site may speak at this moment; *suppressed: how often it was kept quiet since it
 * last did. */
bool log_site_opens(struct log_site *site, uint64_t *suppressed);
bool log_site_opens_at(struct log_site *site, int64_t now_ms, uint64_t *suppressed);
void log_write_site(enum log_level level, uint64_t suppressed, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define LOG_ERROR(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define LOG_WARN(...)  log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define LOG_INFO(...)  log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define LOG_DEBUG(...)                                                                             \
    do {                                                                                           \
        if (log_wants(LOG_LEVEL_DEBUG))                                                            \
            log_write(LOG_LEVEL_DEBUG, __VA_ARGS__);                                               \
    } while (0)

#define LOG_EVERY(level, ...)                                                                      \
    do {                                                                                           \
        static struct log_site log_site_here;                                                      \
        uint64_t log_suppressed_here;                                                              \
        if (log_site_opens(&log_site_here, &log_suppressed_here))                                  \
            log_write_site(level, log_suppressed_here, __VA_ARGS__);                               \
    } while (0)
#define LOG_ERROR_EVERY(...) LOG_EVERY(LOG_LEVEL_ERROR, __VA_ARGS__)
#define LOG_WARN_EVERY(...)  LOG_EVERY(LOG_LEVEL_WARN, __VA_ARGS__)
#define LOG_INFO_EVERY(...)  LOG_EVERY(LOG_LEVEL_INFO, __VA_ARGS__)

#endif

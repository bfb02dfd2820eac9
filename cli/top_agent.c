// SPDX-License-Identifier: Apache-2.0
#include "cli/top_agent.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/top_report.h"
#include "cli/top_services.h"
#include "cli/top_windows.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/feed/channel.h"

enum { ANSWER_MS = 5000, AGAIN_MS = 250, REPORT_MS = 4000, ARENA_BLOCK_BYTES = 256 << 10 };
enum { SHOWN_MOST = 256, SERVICES_MS = 1000 };

struct agent_source {
    char path[512], name[600];
    struct channel channel;
    struct top_services services;      /* as they were last time */
    struct top_report earlier, latest; /* two reports of taps, not of the same moment */
};

/* What is shown now. */
struct shown {
    struct arena arena; /* of the batches that windows point into */
    struct top_windows windows;
    struct top_report report;
};

/* ---- asking ------------------------------------------------------------------------------- */

static int ask_frame(struct agent_source *s, enum feed_type type, uint64_t number,
                     enum feed_type expected, struct feed_frame *answer, char *why)
{
    char reason[256];
    struct buffer frame = {0};
    int64_t until_ms = clock_monotonic_ms() + ANSWER_MS;
    feed_frame_write(&frame, type, number, NULL, 0);
    bool good =
        (s->channel.fd >= 0 || channel_open(&s->channel, s->path, reason, sizeof reason) == 0) &&
        channel_send(&s->channel, frame.data, frame.length, until_ms, reason, sizeof reason) == 0 &&
        channel_receive(&s->channel, answer, until_ms, reason, sizeof reason) == 0;
    buffer_fini(&frame);
    if (!good) {
        snprintf(why, TOP_WHY,
                 "the agent at %s: %s; is weft-agent running there? (only root and its own user "
                 "may ask)",
                 s->path, reason);
        return -1;
    }
    if (answer->type == expected && answer->number == number)
        return 0;
    snprintf(why, TOP_WHY, "the agent at %s: what it says answers nothing", s->path);
    channel_close(&s->channel);
    return -1;
}

static void shown_init(struct shown *s)
{
    *s = (struct shown){.windows = {0}};
    arena_init(&s->arena, ARENA_BLOCK_BYTES);
    top_report_init(&s->report);
}

static void shown_fini(struct shown *s)
{
    top_windows_fini(&s->windows);
    top_report_fini(&s->report);
    arena_fini(&s->arena);
}

static int read_shown(struct agent_source *source, struct shown *s, char *why)
{
    for (uint64_t number = 0; number < SHOWN_MOST; number++) {
        struct feed_frame answer;
        int error;
        if (ask_frame(source, FEED_ASK_SHOWN, number, FEED_SHOWN, &answer, why) != 0)
            return -1;
        if (answer.length == 0)
            break;
        const struct batch *b =
            batch_decode(&s->arena, answer.body, answer.length, FEED_PLAIN_BYTES_MAX, &error);
        if (!b) {
            snprintf(why, TOP_WHY, "the agent at %s shows what cannot be read: %s", source->path,
                     batch_error_text(error));
            return -1;
        }
        for (uint32_t i = 0; i < b->window_count; i++)
            top_windows_add(&s->windows, &b->windows[i]);
        top_report_take(&s->report, b);
    }
    top_windows_settle(&s->windows, (int64_t)(clock_unix_ns() / 1000000));
    return 0;
}

static void pause_ms(long ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

/* ---- views -------------------------------------------------------------------------------- */

/* Rates need two moments; the first time it waits for the second. */
static int ask_services(struct agent_source *s, struct top_table *t, char *why)
{
    struct feed_frame answer;
    bool first = s->services.at_ms == 0;
    if (!first) {
        int64_t left_ms = s->services.at_ms + SERVICES_MS - clock_monotonic_ms();
        pause_ms(left_ms > 0 ? left_ms : 0);
    }
    for (int i = 0; i < (first ? 2 : 1); i++) {
        if (i > 0)
            pause_ms(SERVICES_MS);
        if (ask_frame(s, FEED_ASK, 1, FEED_SUMMARIES, &answer, why) != 0)
            return -1;
        if (top_services_rows(&s->services, answer.body, answer.length, clock_monotonic_ms(), t) !=
            0) {
            snprintf(why, TOP_WHY, "the agent at %s tells what cannot be read", s->path);
            return -1;
        }
    }
    return 0;
}

/* The report becomes the source's, if it is a later one. */
static void keep_report(struct agent_source *s, struct top_report *report)
{
    if (report->unix_ms <= s->latest.unix_ms)
        return;
    top_report_fini(&s->earlier);
    s->earlier = s->latest;
    s->latest = *report;
    top_report_init(report);
}

static void name_hottest(const struct shown *shown, struct top_table *t)
{
    double most = 0;
    for (size_t i = 0; i < t->count; i++) {
        struct top_row *row = &t->rows[i];
        const char *cache = top_text_of(t, row, "cache");
        char key[TOP_LINE];
        double share, per_s;
        if (!top_windows_hottest(&shown->windows, cache, key, &share, &per_s))
            continue;
        top_set_text(t, row, "hottest", key, strlen(key));
        top_set_number(t, row, "hottest_share", share);
        if (per_s > most)
            top_set_hottest(t, key, cache, share, per_s);
        most = fmax(most, per_s);
    }
}

static void put_losses(const struct agent_source *s, struct top_table *t)
{
    t->totals.lost_packets = s->latest.lost_packets;
    t->totals.lost_reports = s->latest.lost_reports;
}

static void put_windows(const struct agent_source *s, const struct top_question *q,
                        const struct shown *shown, struct top_table *t)
{
    char key[TOP_LINE];
    double share, per_s;
    top_windows_rows(&shown->windows, q, t);
    t->no_memory |= shown->windows.no_memory;
    if (q->view == TOP_KEYS && top_windows_hottest(&shown->windows, q->cache, key, &share, &per_s))
        top_set_hottest(t, key, q->cache, share, per_s);
    put_losses(s, t);
}

/* One look; 1: a later one is needed, as there was one report alone. */
static int look(struct agent_source *s, const struct top_question *q, struct top_table *t,
                char *why)
{
    struct shown shown;
    shown_init(&shown);
    int result = read_shown(s, &shown, why);
    if (result == 0) {
        keep_report(s, &shown.report);
        if (q->view != TOP_CACHES)
            put_windows(s, q, &shown, t);
        else if (s->earlier.unix_ms == 0)
            result = 1;
        else {
            top_report_rows(&s->earlier, &s->latest, t);
            t->no_memory |= s->latest.no_memory;
            name_hottest(&shown, t);
            put_losses(s, t);
        }
    }
    shown_fini(&shown);
    return result;
}

static int ask(void *context, const struct top_question *q, struct top_table *out, char *why)
{
    struct agent_source *s = context;
    out->unix_ns = clock_unix_ns();
    if (q->view == TOP_SERVICES)
        return ask_services(s, out, why);
    int64_t until_ms = clock_monotonic_ms() + REPORT_MS;
    int result;
    while ((result = look(s, q, out, why)) > 0 && clock_monotonic_ms() < until_ms)
        pause_ms(AGAIN_MS);
    return result < 0 ? -1 : 0; /* no tap tells: no caches */
}

/* ---- the source --------------------------------------------------------------------------- */

static void close_agent(void *context)
{
    struct agent_source *s = context;
    channel_close(&s->channel);
    top_services_fini(&s->services);
    top_report_fini(&s->earlier);
    top_report_fini(&s->latest);
    free(s);
}

int top_agent_open(struct top_source *source, const char *directory)
{
    struct agent_source *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    channel_init(&s->channel);
    top_report_init(&s->earlier);
    top_report_init(&s->latest);
    snprintf(s->path, sizeof s->path, "%.480s/" FEED_SOCKET_NAME, directory);
    snprintf(s->name, sizeof s->name, "agent in %.500s", directory);
    *source = (struct top_source){.name = s->name, .ask = ask, .close = close_agent, .context = s};
    return 0;
}

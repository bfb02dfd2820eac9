// SPDX-License-Identifier: Apache-2.0
#include "collector/marks/observe.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"

enum { QUEUE_MAX = 4096, SEEN_MAX = 1 << 16, TEXT_MAX = 256 };

_Static_assert((int)MARK_NOTIFICATION == (int)BATCH_MARK_NOTIFICATION, "one number, two places");

enum sight { RUNS, DIED, TOLD };

struct sighting {
    enum sight what;
    uint8_t process[16];
    unsigned severity;
    uint64_t unix_ns;
    char service[TEXT_MAX], host[TEXT_MAX];
    union {
        struct {
            char version[TEXT_MAX], cell[TEXT_MAX];
        };
        struct {
            char title[TEXT_MAX], text[TEXT_MAX];
        };
    };
};

/* What is known of a process. A place that is taken by another is overwritten: then the process is
 * told again, which changes nothing. */
struct seen {
    uint8_t process[16];
    bool alive, died; /* was told */
};

struct observer {
    struct marks *marks;
    struct seen *seen; /* SEEN_MAX places, by the process; the committing thread's */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct sighting *queue; /* QUEUE_MAX, a ring */
    uint32_t first, count;
    bool stopping;
    _Atomic uint64_t left_out;
    pthread_t thread;
    bool runs;
};

/* ---- the thread -------------------------------------------------------------------------- */

static void write_down_told(struct observer *o, const struct sighting *g)
{
    char title[2 * TEXT_MAX + 8], text[TEXT_MAX + 16];
    const char *severity = batch_mark_severity_name(g->severity);
    snprintf(title, sizeof title, "%s%s%s", g->title, g->host[0] ? " on " : "", g->host);
    snprintf(text, sizeof text, "%s%s%s", severity, severity[0] ? ": " : "", g->text);
    marks_told(o->marks, &(struct mark){.kind = MARK_NOTIFICATION,
                                        .from_unix_ns = g->unix_ns,
                                        .to_unix_ns = g->unix_ns,
                                        .title = title,
                                        .text = text,
                                        .service = g->service,
                                        .count = 1});
}

static void write_down(struct observer *o, const struct sighting *g)
{
    if (g->what == TOLD)
        write_down_told(o, g);
    else if (g->what == DIED)
        marks_death(o->marks, g->process, g->service, g->version, g->cell, g->host, g->unix_ns);
    else
        marks_process(o->marks, g->service, g->version, g->cell, g->host, g->unix_ns);
}

static void *run(void *context)
{
    struct observer *o = context;
    pthread_mutex_lock(&o->lock);
    for (;;) {
        while (o->count == 0 && !o->stopping)
            pthread_cond_wait(&o->changed, &o->lock);
        if (o->count == 0)
            break;
        struct sighting next = o->queue[o->first];
        o->first = (o->first + 1) % QUEUE_MAX;
        o->count--;
        pthread_mutex_unlock(&o->lock);
        write_down(o, &next);
        pthread_mutex_lock(&o->lock);
    }
    pthread_mutex_unlock(&o->lock);
    return NULL;
}

struct observer *observer_create(struct marks *m)
{
    struct observer *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->marks = m;
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->changed, NULL);
    o->seen = calloc(SEEN_MAX, sizeof *o->seen);
    o->queue = calloc(QUEUE_MAX, sizeof *o->queue);
    o->runs = o->seen && o->queue && pthread_create(&o->thread, NULL, run, o) == 0;
    if (!o->runs)
        observer_destroy(&o);
    return o;
}

void observer_destroy(struct observer **place)
{
    struct observer *o = *place;
    if (!o)
        return;
    pthread_mutex_lock(&o->lock);
    o->stopping = true;
    pthread_cond_signal(&o->changed);
    pthread_mutex_unlock(&o->lock);
    if (o->runs)
        pthread_join(o->thread, NULL);
    pthread_cond_destroy(&o->changed);
    pthread_mutex_destroy(&o->lock);
    free(o->seen);
    free(o->queue);
    free(o);
    *place = NULL;
}

uint64_t observer_left_out(const struct observer *o)
{
    return atomic_load(&o->left_out);
}

/* ---- the committing thread's side -------------------------------------------------------- */

static void copy_text(char out[TEXT_MAX], struct batch_str text)
{
    uint32_t length = text.length < TEXT_MAX ? text.length : TEXT_MAX - 1;
    if (length)
        memcpy(out, text.bytes, length);
    out[length] = '\0';
}

/* False: the queue is full. */
static bool put(struct observer *o, const struct sighting *sighting)
{
    pthread_mutex_lock(&o->lock);
    bool room = o->count < QUEUE_MAX;
    if (room) {
        o->queue[(o->first + o->count++) % QUEUE_MAX] = *sighting;
        pthread_cond_signal(&o->changed);
    }
    pthread_mutex_unlock(&o->lock);
    if (!room) {
        atomic_fetch_add(&o->left_out, 1);
        LOG_WARN_EVERY("marks: more happens than can be written down");
    }
    return room;
}

static bool put_process(struct observer *o, const struct batch_process_view *p, bool died)
{
    struct sighting g = {.what = died ? DIED : RUNS,
                         .unix_ns = died ? p->state_unix_ns : p->start_unix_ns};
    memcpy(g.process, p->uuid, sizeof g.process);
    copy_text(g.service, p->service);
    copy_text(g.version, p->version);
    copy_text(g.cell, p->cell);
    copy_text(g.host, p->host);
    return put(o, &g);
}

static void put_told(struct observer *o, const struct batch_mark_view *m)
{
    struct sighting g = {.what = TOLD, .severity = m->severity, .unix_ns = m->unix_ns};
    copy_text(g.service, m->service);
    copy_text(g.host, m->host);
    copy_text(g.title, m->title);
    copy_text(g.text, m->text);
    put(o, &g);
}

static struct seen *place_of(struct observer *o, const uint8_t process[16])
{
    uint64_t bits;
    memcpy(&bits, process, sizeof bits); /* it is random */
    struct seen *s = &o->seen[bits % SEEN_MAX];
    if (memcmp(s->process, process, sizeof s->process) != 0) {
        *s = (struct seen){.alive = false};
        memcpy(s->process, process, sizeof s->process);
    }
    return s;
}

static void see(struct observer *o, const struct batch_process_view *p)
{
    struct seen *s = place_of(o, p->uuid);
    if (p->service.length == 0)
        return;
    if (!s->alive && p->version.length > 0)
        s->alive = put_process(o, p, false);
    if (!s->died && p->state == PROCESS_DIED)
        s->died = put_process(o, p, true);
}

void observer_see(struct observer *o, const struct batch *b)
{
    for (uint32_t i = 0; i < b->process_count; i++)
        see(o, &b->processes[i]);
    for (uint32_t i = 0; i < b->mark_count; i++)
        if (b->marks[i].kind == BATCH_MARK_NOTIFICATION)
            put_told(o, &b->marks[i]);
}

// SPDX-License-Identifier: Apache-2.0
#include "collector/marks/sighting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KNOWN_MAX = 1 << 16 };

_Static_assert((int)MARK_NOTIFICATION == (int)BATCH_MARK_NOTIFICATION, "one number, two places");

struct known {
    uint8_t process[16];
    bool alive, died; /* was told */
};

struct known_processes {
    struct known places[KNOWN_MAX]; /* by the process */
};

struct known_processes *known_processes_create(void)
{
    return calloc(1, sizeof(struct known_processes));
}

void known_processes_destroy(struct known_processes **k)
{
    free(*k);
    *k = NULL;
}

/* ---- from batches ------------------------------------------------------------------------ */

static void copy_text(char out[SIGHTING_TEXT_MAX], struct batch_str text)
{
    uint32_t length = text.length < SIGHTING_TEXT_MAX ? text.length : SIGHTING_TEXT_MAX - 1;
    if (length)
        memcpy(out, text.bytes, length);
    out[length] = '\0';
}

struct taker {
    bool (*take)(void *context, const struct sighting *s);
    void *context;
};

static bool take_process(const struct taker *t, const struct batch_process_view *p, bool died)
{
    struct sighting s = {.what = died ? SIGHT_DIED : SIGHT_RUNS,
                         .unix_ns = died ? p->state_unix_ns : p->start_unix_ns};
    memcpy(s.process, p->uuid, sizeof s.process);
    copy_text(s.service, p->service);
    copy_text(s.version, p->version);
    copy_text(s.cell, p->cell);
    copy_text(s.host, p->host);
    return t->take(t->context, &s);
}

static void take_told(const struct taker *t, const struct batch_mark_view *m)
{
    struct sighting s = {.what = SIGHT_TOLD, .severity = m->severity, .unix_ns = m->unix_ns};
    copy_text(s.service, m->service);
    copy_text(s.host, m->host);
    copy_text(s.title, m->title);
    copy_text(s.text, m->text);
    t->take(t->context, &s);
}

static struct known *place_of(struct known_processes *k, const uint8_t process[16])
{
    uint64_t bits;
    memcpy(&bits, process, sizeof bits); /* it is random */
    struct known *place = &k->places[bits % KNOWN_MAX];
    if (memcmp(place->process, process, sizeof place->process) != 0) {
        *place = (struct known){.alive = false};
        memcpy(place->process, process, sizeof place->process);
    }
    return place;
}

static void see(struct known_processes *k, const struct batch_process_view *p,
                const struct taker *t)
{
    struct known *place = place_of(k, p->uuid);
    if (p->service.length == 0)
        return;
    if (!place->alive && p->version.length > 0)
        place->alive = take_process(t, p, false);
    if (!place->died && p->state == PROCESS_DIED)
        place->died = take_process(t, p, true);
}

void sightings_of(struct known_processes *k, const struct batch *b,
                  bool (*take)(void *context, const struct sighting *s), void *context)
{
    const struct taker t = {take, context};
    for (uint32_t i = 0; i < b->process_count; i++)
        see(k, &b->processes[i], &t);
    for (uint32_t i = 0; i < b->mark_count; i++)
        if (b->marks[i].kind == BATCH_MARK_NOTIFICATION)
            take_told(&t, &b->marks[i]);
}

/* ---- to marks ---------------------------------------------------------------------------- */

static int write_told(struct marks *m, const struct sighting *s)
{
    char title[2 * SIGHTING_TEXT_MAX + 8], text[SIGHTING_TEXT_MAX + 16];
    const char *severity = batch_mark_severity_name(s->severity);
    snprintf(title, sizeof title, "%s%s%s", s->title, s->host[0] ? " on " : "", s->host);
    snprintf(text, sizeof text, "%s%s%s", severity, severity[0] ? ": " : "", s->text);
    return marks_told(m, &(struct mark){.kind = MARK_NOTIFICATION,
                                        .from_unix_ns = s->unix_ns,
                                        .to_unix_ns = s->unix_ns,
                                        .title = title,
                                        .text = text,
                                        .service = s->service,
                                        .count = 1});
}

int sighting_write(struct marks *m, const struct sighting *s)
{
    if (s->what == SIGHT_TOLD)
        return write_told(m, s);
    if (s->what == SIGHT_DIED)
        return marks_death(m, s->process, s->service, s->version, s->cell, s->host, s->unix_ns);
    return marks_process(m, s->service, s->version, s->cell, s->host, s->unix_ns);
}

// SPDX-License-Identifier: Apache-2.0
#include "collector/marks/sighting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KNOWN_MAX = 1 << 16 };

_Static_assert((int)MARK_NOTIFICATION == (int)BATCH_MARK_NOTIFICATION, "one number, two places");

/* What was told of a process. */
enum told {
    TOLD_ALIVE = 1,
    TOLD_DIED = 2,
    TOLD_HOW = 4, /* it died */
    TOLD_STARTED = 8,
    TOLD_READY = 16,
    TOLD_ENDED = 32,
};

struct known {
    uint8_t process[16];
    uint8_t told; /* of enum told */
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

static bool take_process(const struct taker *t, const struct batch_process_view *p, enum sight what)
{
    struct sighting s = {.what = what, .unix_ns = p->start_unix_ns};
    if (what == SIGHT_DIED || what == SIGHT_ENDED)
        s.unix_ns = p->state_unix_ns;
    else if (what == SIGHT_READY)
        s.unix_ns = p->ready_unix_ns;
    memcpy(s.process, p->uuid, sizeof s.process);
    copy_text(s.service, p->service);
    copy_text(s.version, p->version);
    copy_text(s.cell, p->cell);
    copy_text(s.host, p->host);
    copy_text(s.how, what == SIGHT_READY ? p->ready : p->ending);
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
        *place = (struct known){.told = 0};
        memcpy(place->process, process, sizeof place->process);
    }
    return place;
}

static void see(struct known_processes *k, const struct batch_process_view *p,
                const struct taker *t)
{
    struct known *place = place_of(k, p->uuid);
    bool died = p->state == PROCESS_DIED, ended = p->state == PROCESS_EXITED;
    const struct {
        bool seen;
        uint8_t told;
        enum sight what;
    } sights[] = {
        {p->version.length > 0, TOLD_ALIVE, SIGHT_RUNS},
        {p->watched && !p->ending.length, TOLD_STARTED, SIGHT_STARTED},
        {p->watched && p->ready_unix_ns, TOLD_READY, SIGHT_READY},
        {died, p->ending.length ? TOLD_DIED | TOLD_HOW : TOLD_DIED, SIGHT_DIED},
        {p->watched && ended, TOLD_ENDED, SIGHT_ENDED},
    };
    if (p->service.length == 0)
        return;
    for (size_t i = 0; i < sizeof sights / sizeof *sights; i++)
        if (sights[i].seen && (place->told & sights[i].told) != sights[i].told &&
            take_process(t, p, sights[i].what))
            place->told |= sights[i].told;
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

/* "redis is ready on box7" */
static int write_moment(struct marks *m, const struct sighting *s)
{
    enum process_moment moment = s->what == SIGHT_STARTED ? MOMENT_STARTED
                                 : s->what == SIGHT_READY ? MOMENT_READY
                                                          : MOMENT_ENDED;
    const char *did = moment == MOMENT_STARTED ? "started"
                      : moment == MOMENT_READY ? "is ready"
                      : *s->how                ? s->how
                                               : "ended";
    char title[3 * SIGHTING_TEXT_MAX + 16];
    snprintf(title, sizeof title, "%s %s on %s", s->service, did, s->host);
    return marks_moment(m, s->process, moment,
                        &(struct mark){.kind = MARK_PROCESS,
                                       .from_unix_ns = s->unix_ns,
                                       .to_unix_ns = s->unix_ns,
                                       .title = title,
                                       .text = s->how,
                                       .service = s->service,
                                       .version = s->version,
                                       .cell = s->cell,
                                       .count = 1});
}

int sighting_write(struct marks *m, const struct sighting *s)
{
    switch (s->what) {
    case SIGHT_TOLD:
        return write_told(m, s);
    case SIGHT_DIED:
        return marks_death(m, s->process, s->service, s->version, s->cell, s->host, s->unix_ns,
                           s->how);
    case SIGHT_RUNS:
        return marks_process(m, s->service, s->version, s->cell, s->host, s->unix_ns);
    default:
        return write_moment(m, s);
    }
}

// SPDX-License-Identifier: Apache-2.0
/* Deploys, deaths, and moments of processes: a host that runs another version than before, or a new
 * host with a version that the others do not have, is a deploy; those of one version that are near
 * each other are one mark, and so are deaths, and the same moments of a service's processes. */
#include <stdio.h>
#include <string.h>

#include "collector/marks/marks_internal.h"
#include "lib/base/clock.h"

#define DEPLOY_GAP_NS UINT64_C(3600000000000) /* between the hosts of one deploy */
#define DEATH_GAP_NS  UINT64_C(60000000000)   /* between the deaths of one mark */
#define MOMENT_GAP_NS UINT64_C(60000000000)   /* between the same moments of several processes */
#define CLOCK_GAP_NS  UINT64_C(10000000000)   /* between two tellings of one process' start */

/* ---- deploys ----------------------------------------------------------------------------- */

struct seen_process {
    const char *service, *version, *cell, *host;
    uint64_t unix_ns;
    const uint8_t *process; /* of a death */
};

/* The first column as a text, copied. 1; 0: no row; -1: it cannot be read. */
static int first_text(sqlite3_stmt *s, char *out, size_t size, int64_t *second)
{
    int result = sqlite3_step(s);
    if (result == SQLITE_ROW) {
        snprintf(out, size, "%s", (const char *)sqlite3_column_text(s, 0));
        if (second)
            *second = sqlite3_column_int64(s, 1);
    }
    sqlite3_reset(s);
    return result == SQLITE_ROW ? 1 : result == SQLITE_DONE ? 0 : -1;
}

/* The newest mark that the statement finds, if the moment is within it, or within `gap_ns` of it.
 * 1, 0, or -1: it cannot be read. */
static int find_recent(sqlite3_stmt *s, uint64_t unix_ns, uint64_t gap_ns, int64_t *id)
{
    int result = sqlite3_step(s);
    bool recent = false;
    if (result == SQLITE_ROW) {
        uint64_t from = (uint64_t)sqlite3_column_int64(s, 1);
        uint64_t to = (uint64_t)sqlite3_column_int64(s, 2);
        *id = sqlite3_column_int64(s, 0);
        recent = unix_ns <= to + gap_ns && unix_ns + gap_ns >= from;
    }
    sqlite3_reset(s);
    return result == SQLITE_ROW || result == SQLITE_DONE ? recent : -1;
}

static int prolong(struct marks *m, int64_t id, uint64_t unix_ns)
{
    sqlite3_stmt *s = m->database.statements[PROLONG];
    sqlite3_bind_int64(s, 1, id);
    sqlite3_bind_int64(s, 2, marks_clipped(unix_ns));
    return database_run(s) ? 0 : -1;
}

/* The mark, or one more of the newest that `last` finds, if it is near that. */
static int note(struct marks *m, sqlite3_stmt *last, uint64_t gap_ns, const struct mark *mark,
                uint64_t *id)
{
    int64_t found;
    int recent = find_recent(last, mark->from_unix_ns, gap_ns, &found);
    if (recent < 0)
        return -1;
    if (!recent)
        return marks_insert(m, mark, id);
    *id = (uint64_t)found;
    return prolong(m, found, mark->from_unix_ns);
}

static struct mark mark_of(const struct seen_process *g, enum mark_kind kind, const char *title)
{
    return (struct mark){.kind = kind,
                         .from_unix_ns = g->unix_ns,
                         .to_unix_ns = g->unix_ns,
                         .title = title,
                         .service = g->service,
                         .version = g->version,
                         .cell = g->cell,
                         .count = 1};
}

static int deployed(struct marks *m, const struct seen_process *g, const char *previous)
{
    char title[1024];
    sqlite3_stmt *last = marks_prepared(m, LAST_DEPLOY, g->service, g->cell, g->version);
    sqlite3_bind_text(last, 4, previous, -1, SQLITE_STATIC);
    snprintf(title, sizeof title, "%s %s", g->service, g->version);
    struct mark mark = mark_of(g, MARK_DEPLOY, title);
    mark.previous = previous;
    uint64_t id;
    if (note(m, last, DEPLOY_GAP_NS, &mark, &id) != 0)
        return -1;
    sqlite3_stmt *add = m->database.statements[ADD_DEPLOYED];
    sqlite3_bind_int64(add, 1, (int64_t)id);
    sqlite3_bind_text(add, 2, g->host, -1, SQLITE_STATIC);
    sqlite3_bind_int64(add, 3, marks_clipped(g->unix_ns));
    return database_run(add) ? 0 : -1;
}

static int put_host(struct marks *m, const struct seen_process *g)
{
    sqlite3_stmt *s = marks_prepared(m, PUT_HOST, g->service, g->cell, g->host);
    sqlite3_bind_text(s, 4, g->version, -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 5, marks_clipped(g->unix_ns));
    return database_run(s) ? 0 : -1;
}

static int see_process(struct marks *m, void *context)
{
    const struct seen_process *g = context;
    char known[512];
    int64_t since;
    int had = first_text(marks_prepared(m, HOST, g->service, g->cell, g->host), known, sizeof known,
                         &since);
    if (had < 0)
        return -1;
    if (had && (strcmp(known, g->version) == 0 || g->unix_ns < (uint64_t)since))
        return 0;
    /* A host that is new: only a version that the others do not have is a deploy. */
    int changed = had ? 1
                      : first_text(marks_prepared(m, OTHER, g->service, g->cell, g->version), known,
                                   sizeof known, NULL);
    if (changed < 0 || put_host(m, g) != 0)
        return -1;
    return changed ? deployed(m, g, known) : 0;
}

int marks_process(struct marks *m, const char *service, const char *version, const char *cell,
                  const char *host, uint64_t since_unix_ns)
{
    return marks_transaction(
        m, see_process, &(struct seen_process){service, version, cell, host, since_unix_ns, NULL});
}

/* ---- deaths ------------------------------------------------------------------------------ */

/* 1: nobody said so before; 0: it is known; -1. */
static int add_moment(struct marks *m, const uint8_t process[16], enum process_moment moment,
                      uint64_t unix_ns)
{
    sqlite3_stmt *s = m->database.statements[ADD_MOMENT];
    sqlite3_bind_blob(s, 1, process, 16, SQLITE_STATIC);
    sqlite3_bind_int(s, 2, (int)moment);
    sqlite3_bind_int64(s, 3, marks_clipped(unix_ns));
    return database_run(s) ? sqlite3_changes(m->database.db) > 0 : -1;
}

static int add_text(struct marks *m, int64_t id, const char *text)
{
    sqlite3_stmt *s = m->database.statements[ADD_TEXT];
    sqlite3_bind_int64(s, 1, id);
    sqlite3_bind_text(s, 2, text, -1, SQLITE_STATIC);
    return database_run(s) ? 0 : -1;
}

/* The death has a mark; it is told how it came. */
static int explain_death(struct marks *m, const struct seen_process *g, const char *how)
{
    int64_t id;
    int fresh = *how ? add_moment(m, g->process, MOMENT_DIED, g->unix_ns) : 0;
    if (fresh <= 0)
        return fresh;
    int found = find_recent(marks_prepared(m, LAST_DEATH, g->service, g->cell, g->version),
                            g->unix_ns, DEATH_GAP_NS, &id);
    return found <= 0 ? found : add_text(m, id, how);
}

struct seen_death {
    struct seen_process process;
    const char *how;
};

static int see_death(struct marks *m, void *context)
{
    const struct seen_death *d = context;
    const struct seen_process *g = &d->process;
    sqlite3_stmt *s = m->database.statements[ADD_DEAD];
    sqlite3_bind_blob(s, 1, g->process, 16, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, marks_clipped(g->unix_ns));
    if (!database_run(s))
        return -1;
    if (sqlite3_changes(m->database.db) == 0)
        return explain_death(m, g, d->how);
    char title[1024];
    snprintf(title, sizeof title, "%s died on %s", g->service, g->host);
    struct mark mark = mark_of(g, MARK_DEATH, title);
    uint64_t id;
    if (note(m, marks_prepared(m, LAST_DEATH, g->service, g->cell, g->version), DEATH_GAP_NS, &mark,
             &id) != 0)
        return -1;
    return explain_death(m, g, d->how);
}

int marks_death(struct marks *m, const uint8_t process[16], const char *service,
                const char *version, const char *cell, const char *host, uint64_t died_unix_ns,
                const char *how)
{
    struct seen_death d = {{service, version, cell, host, died_unix_ns, process}, how};
    return marks_transaction(m, see_death, &d);
}

/* ---- moments ----------------------------------------------------------------------------- */

struct seen_moment {
    const uint8_t *process;
    enum process_moment moment;
    const struct mark *mark;
};

/* A mark of the same that touches the time, give or take `gap_ns`. 1, 0 or -1. */
static int find_near(struct marks *m, const struct mark *mark, uint64_t gap_ns, int64_t *id)
{
    uint64_t at = mark->from_unix_ns;
    sqlite3_stmt *s = marks_prepared(m, NEAR_MOMENT, mark->service, mark->cell, mark->title);
    sqlite3_bind_int64(s, 4, marks_clipped(at > gap_ns ? at - gap_ns : 0));
    sqlite3_bind_int64(s, 5, marks_clipped(at + gap_ns));
    int result = sqlite3_step(s);
    *id = result == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return result == SQLITE_ROW ? 1 : result == SQLITE_DONE ? 0 : -1;
}

static int is_dead(struct marks *m, const uint8_t process[16])
{
    sqlite3_stmt *s = m->database.statements[IS_DEAD];
    sqlite3_bind_blob(s, 1, process, 16, SQLITE_STATIC);
    int result = sqlite3_step(s);
    sqlite3_reset(s);
    return result == SQLITE_ROW ? 1 : result == SQLITE_DONE ? 0 : -1;
}

/* Long after, nobody knows any more whether this process' moment was told, as agents do each time
 * that they start: a mark at this moment is taken to be it. */
static bool is_forgotten(uint64_t unix_ns)
{
    uint64_t now = clock_unix_ns();
    return now > MARKS_PROCESS_AGE_NS && unix_ns < now - MARKS_PROCESS_AGE_NS;
}

static int see_moment(struct marks *m, void *context)
{
    const struct seen_moment *g = context;
    const struct mark *mark = g->mark;
    const char *how = mark->text;
    int64_t id;
    int fresh = add_moment(m, g->process, g->moment, mark->from_unix_ns);
    if (fresh <= 0)
        return fresh;
    if (g->moment == MOMENT_ENDED) {
        int dead = is_dead(m, g->process);
        struct seen_process p = {mark->service,      mark->version, mark->cell, "",
                                 mark->from_unix_ns, g->process};
        if (dead != 0)
            return dead < 0 ? -1 : explain_death(m, &p, how);
    }
    bool forgotten = is_forgotten(mark->from_unix_ns);
    int near = find_near(m, mark, forgotten ? CLOCK_GAP_NS : MOMENT_GAP_NS, &id);
    if (near < 0 || (near && forgotten))
        return near < 0 ? -1 : 0;
    return near ? prolong(m, id, mark->from_unix_ns) : marks_insert(m, mark, NULL);
}

int marks_moment(struct marks *m, const uint8_t process[16], enum process_moment moment,
                 const struct mark *mark)
{
    struct seen_moment g = {process, moment, mark};
    return marks_transaction(m, see_moment, &g);
}

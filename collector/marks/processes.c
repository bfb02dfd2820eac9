// SPDX-License-Identifier: Apache-2.0
/* Deploys and deaths: a host that runs another version than before, or a new host with a version
 * that the others do not have, is a deploy; those of one version that are near each other are one
 * mark, and so are deaths. */
#include <stdio.h>
#include <string.h>

#include "collector/marks/marks_internal.h"

#define DEPLOY_GAP_NS UINT64_C(3600000000000) /* between the hosts of one deploy */
#define DEATH_GAP_NS  UINT64_C(60000000000)   /* between the deaths of one mark */

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

static int see_death(struct marks *m, void *context)
{
    const struct seen_process *g = context;
    sqlite3_stmt *s = m->database.statements[ADD_DEAD];
    sqlite3_bind_blob(s, 1, g->process, 16, SQLITE_STATIC);
    sqlite3_bind_int64(s, 2, marks_clipped(g->unix_ns));
    if (!database_run(s))
        return -1;
    if (sqlite3_changes(m->database.db) == 0)
        return 0; /* known */
    char title[1024];
    snprintf(title, sizeof title, "%s died on %s", g->service, g->host);
    struct mark mark = mark_of(g, MARK_DEATH, title);
    uint64_t id;
    return note(m, marks_prepared(m, LAST_DEATH, g->service, g->cell, g->version), DEATH_GAP_NS,
                &mark, &id);
}

int marks_death(struct marks *m, const uint8_t process[16], const char *service,
                const char *version, const char *cell, const char *host, uint64_t died_unix_ns)
{
    return marks_transaction(
        m, see_death, &(struct seen_process){service, version, cell, host, died_unix_ns, process});
}

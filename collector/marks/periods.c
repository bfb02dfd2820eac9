// SPDX-License-Identifier: Apache-2.0
/* Marks of what goes on for a while and is told piece by piece. */
#include "collector/marks/marks_internal.h"

struct period {
    const struct mark *mark;
    uint64_t gap_ns;
};

static int extend(struct marks *m, int64_t id, const struct mark *mark)
{
    sqlite3_stmt *s = m->database.statements[EXTEND];
    sqlite3_bind_int64(s, 1, id);
    sqlite3_bind_int64(s, 2, marks_clipped(mark->from_unix_ns));
    sqlite3_bind_int64(s, 3, marks_clipped(mark->to_unix_ns));
    return database_run(s) ? 0 : -1;
}

static int see_period(struct marks *m, void *context)
{
    const struct period *p = context;
    uint64_t from = p->mark->from_unix_ns, gap = p->gap_ns < from ? p->gap_ns : from;
    sqlite3_stmt *s = marks_prepared(m, NEAR, p->mark->title, NULL, NULL);
    sqlite3_bind_int(s, 2, (int)p->mark->kind);
    sqlite3_bind_int64(s, 3, marks_clipped(from - gap));
    sqlite3_bind_int64(s, 4, marks_clipped(p->mark->to_unix_ns + p->gap_ns));
    int found = sqlite3_step(s);
    int64_t id = found == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    if (found == SQLITE_ROW)
        return extend(m, id, p->mark);
    return found == SQLITE_DONE ? marks_insert(m, p->mark, NULL) : -1;
}

int marks_period(struct marks *m, const struct mark *mark, uint64_t gap_ns)
{
    return marks_transaction(m, see_period, &(struct period){mark, gap_ns});
}

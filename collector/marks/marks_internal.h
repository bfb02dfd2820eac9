// SPDX-License-Identifier: Apache-2.0
/* What the files of marks share: marks.c (adding, asking, how far), processes.c (deploys and
 * deaths, of what was seen of processes), periods.c. */
#ifndef WEFT_COLLECTOR_MARKS_MARKS_INTERNAL_H
#define WEFT_COLLECTOR_MARKS_MARKS_INTERNAL_H

#include "collector/database.h"
#include "collector/marks/marks.h"

enum statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    ADD,
    FIND,
    GET,
    AGE,
    HOST,        /* the version of a host */
    PUT_HOST,    /* ... is this from now on */
    OTHER,       /* the version that another host of the service and cell has */
    LAST_DEPLOY, /* of a version */
    PROLONG,
    ADD_DEPLOYED,  /* a host that a deploy came to */
    DEPLOYED_ENDS, /* the first and the last of them */
    AGE_DEPLOYED,
    END,
    ADD_DEAD,
    AGE_DEAD,
    IS_DEAD,
    LAST_DEATH,
    ADD_TEXT,   /* to a mark, unless it says so already */
    ADD_MOMENT, /* of a process */
    AGE_MOMENT,
    NEAR_MOMENT, /* a mark of the same service, cell and title, by its time */
    TOLD,        /* the same as a mark that was told */
    NEAR,        /* a mark of the same title, by its time */
    EXTEND,
    REACHED,
    SET_REACHED,
    STATEMENTS
};

struct marks {
    struct database_options options;
    struct database database;
    uint64_t age_ns, aged_unix_ns;
    char error[128]; /* the last one; guarded by the database's lock */
};

/* Who is dead is known for so long, and so are the moments of processes. */
#define MARKS_PROCESS_AGE_NS (7 * 24 * UINT64_C(3600000000000))

static inline int64_t marks_clipped(uint64_t unix_ns)
{
    return unix_ns > INT64_MAX ? INT64_MAX : (int64_t)unix_ns;
}

/* A statement with up to three texts as its first parameters. */
sqlite3_stmt *marks_prepared(struct marks *m, enum statement which, const char *a, const char *b,
                             const char *c);

/* Within a transaction. `id` may be NULL. 0 or -1. */
int marks_insert(struct marks *m, const struct mark *mark, uint64_t *id);

/* All of `change`, or nothing: it answers 0, or another number where it failed. 0, MARKS_EDISK or
 * MARKS_EREFUSED. */
int marks_transaction(struct marks *m, int (*change)(struct marks *m, void *context),
                      void *context);

#endif

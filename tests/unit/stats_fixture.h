// SPDX-License-Identifier: Apache-2.0
/* For tests of statistics: what takes have found of each instrument, added up as an agent's
 * collector would. */
#ifndef WEFT_TESTS_STATS_FIXTURE_H
#define WEFT_TESTS_STATS_FIXTURE_H

#include <string.h>

#include "lib/ring/slab_stats.h"
#include "lib/ring/slab_stats_reader.h"
#include "tests/unit/slab_fixture.h"

enum { TALLIES_MAX = 512 };

struct tally {
    char name[512]; /* "name{key=value,key=value}"; without labels "name" */
    char unit[32], help[64];
    enum metric_type type;
    uint64_t count; /* counter */
    double value;   /* gauge */
    bool changed;
    unsigned visits;
    struct exphist histogram;
};

struct tallies {
    size_t count;
    struct tally all[TALLIES_MAX];
};

static inline void append_text(char *to, size_t size, struct slab_text text, const char *behind)
{
    size_t used = strlen(to);
    snprintf(to + used, size - used, "%.*s%s", (int)text.length, text.bytes, behind);
}

static inline void name_instrument(char *name, size_t size, const struct slab_instrument *is)
{
    name[0] = '\0';
    append_text(name, size, is->name, is->label_count ? "{" : "");
    for (uint32_t i = 0; i < is->label_count; i++) {
        append_text(name, size, is->labels[i].key, "=");
        append_text(name, size, is->labels[i].value, i + 1 < is->label_count ? "," : "}");
    }
}

static inline struct tally *tally_of(struct tallies *t, const char *name)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->all[i].name, name) == 0)
            return &t->all[i];
    if (t->count == TALLIES_MAX)
        abort();
    struct tally *tally = &t->all[t->count++];
    memset(tally, 0, sizeof *tally);
    snprintf(tally->name, sizeof tally->name, "%s", name);
    exphist_init(&tally->histogram, 0);
    return tally;
}

static inline void tally_visit(void *context, const struct slab_stat *stat)
{
    char name[sizeof((struct tally *)0)->name];
    name_instrument(name, sizeof name, stat->instrument);
    struct tally *tally = tally_of(context, name);
    tally->unit[0] = tally->help[0] = '\0';
    append_text(tally->unit, sizeof tally->unit, stat->instrument->unit, "");
    append_text(tally->help, sizeof tally->help, stat->instrument->help, "");
    tally->type = stat->instrument->type;
    tally->visits++;
    tally->count += stat->delta;
    tally->value = stat->value;
    tally->changed = stat->changed;
    if (stat->histogram && exphist_merge(&tally->histogram, stat->histogram) != 0)
        abort();
}

static inline struct tallies *tallies_create(void)
{
    return calloc(1, sizeof(struct tallies));
}

static inline void tallies_clear(struct tallies *t)
{
    for (size_t i = 0; i < t->count; i++)
        exphist_fini(&t->all[i].histogram);
    t->count = 0;
}

static inline void tallies_destroy(struct tallies *t)
{
    tallies_clear(t);
    free(t);
}

/* Takes and keeps. */
static inline enum slab_error tallies_take(struct slab_reader *r, struct tallies *t)
{
    enum slab_error error = slab_stats_take(r, tally_visit, t);
    enum slab_error kept = slab_stats_commit(r);
    return error ? error : kept;
}

#endif

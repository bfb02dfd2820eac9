// SPDX-License-Identifier: Apache-2.0
#include "collector/marks/observe.h"

#include <stdlib.h>
#include <string.h>

#include "collector/marks/sighting.h"

enum { QUEUE_MOST = 4096 };

_Static_assert((int)MARKS_EDISK == (int)OBSERVED_EDISK &&
                   (int)MARKS_EREFUSED == (int)OBSERVED_EREFUSED,
               "one number, two names");

static void *know(void)
{
    return known_processes_create();
}

static void forget(void *known)
{
    struct known_processes *k = known;
    known_processes_destroy(&k);
}

struct taker {
    bool (*take)(void *context, void *item);
    void *context;
};

static bool take_copy(void *context, const struct sighting *s)
{
    const struct taker *t = context;
    struct sighting *copy = malloc(sizeof *copy);
    if (copy)
        *copy = *s;
    return t->take(t->context, copy);
}

static void look(void *known, const struct batch *b, bool (*take)(void *context, void *item),
                 void *context)
{
    sightings_of(known, b, take_copy, &(struct taker){take, context});
}

static int write_item(void *target, const void *item)
{
    return sighting_write(target, item);
}

static void error(void *target, char *out, size_t size)
{
    marks_error(target, out, size);
}

static int reached(void *target, struct journal_position *at)
{
    return marks_reached(target, at);
}

static int set_reached(void *target, struct journal_position at)
{
    return marks_set_reached(target, at);
}

struct observer *marks_observer_create(struct marks *m, struct ledger *l)
{
    static const struct observed what = {
        .name = "marks",
        .lost = "who ran and died then is not known",
        .queue_most = QUEUE_MOST,
        .know = know,
        .forget = forget,
        .look = look,
        .write = write_item,
        .error = error,
        .reached = reached,
        .set_reached = set_reached,
    };
    return observer_create(&what, m, l);
}

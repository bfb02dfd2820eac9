// SPDX-License-Identifier: Apache-2.0
/* What a batch tells that becomes marks: who runs, who died, moments of watched processes, what was
 * notified. Texts are cut to
 * what a mark shows. No locks: a table of what is known is one thread's. */
#ifndef WEFT_COLLECTOR_MARKS_SIGHTING_H
#define WEFT_COLLECTOR_MARKS_SIGHTING_H

#include "collector/marks/marks.h"
#include "lib/codec/batch.h"

enum { SIGHTING_TEXT_MAX = 256 };

enum sight { SIGHT_RUNS, SIGHT_DIED, SIGHT_TOLD, SIGHT_STARTED, SIGHT_READY, SIGHT_ENDED };

struct sighting {
    enum sight what;
    uint8_t process[16];
    unsigned severity;
    uint64_t unix_ns;
    char service[SIGHTING_TEXT_MAX], host[SIGHTING_TEXT_MAX];
    char how[SIGHTING_TEXT_MAX]; /* it listens, or ended */
    union {
        struct {
            char version[SIGHTING_TEXT_MAX], cell[SIGHTING_TEXT_MAX];
        };
        struct {
            char title[SIGHTING_TEXT_MAX], text[SIGHTING_TEXT_MAX];
        };
    };
};

/* Which processes were told of, and as what. A place that is taken by another is overwritten: then
 * the process is told of again, which changes nothing. */
struct known_processes;

struct known_processes *known_processes_create(void); /* NULL: no memory */
void known_processes_destroy(struct known_processes **k);

/* Gives `take` each thing that is not known yet; false from it: that one stays unknown. */
void sightings_of(struct known_processes *k, const struct batch *b,
                  bool (*take)(void *context, const struct sighting *s), void *context);

/* 0, MARKS_EDISK or MARKS_EREFUSED. What was written already changes nothing. */
int sighting_write(struct marks *m, const struct sighting *s);

#endif

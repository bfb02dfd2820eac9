// SPDX-License-Identifier: Apache-2.0
/* What a Prometheus client asks with: the URL's query, and the body of a POST of the type
 * application/x-www-form-urlencoded, together. A name may stand several times (match[]); names that
 * nobody asks for mean nothing, as clients send of their own. */
#ifndef WEFT_COLLECTOR_WEB_PROM_FORM_H
#define WEFT_COLLECTOR_WEB_PROM_FORM_H

#include <stddef.h>
#include <stdint.h>

#include "collector/web/reply.h"
#include "lib/base/arena.h"

enum { FORM_FIELDS_MAX = 1024 };

struct form_field {
    const char *name, *value; /* decoded, terminated; in the arena */
    size_t length;            /* of the value, which may hold any byte */
};

struct form {
    struct form_field *fields;
    size_t count;
};

/* -1 with the reason, a literal, in *why. */
int form_parse(struct form *f, struct arena *arena, const struct web_request *request,
               const char **why);
/* The first of that name; NULL. */
const struct form_field *form_find(const struct form *f, const char *name);
/* Its value; NULL where it is absent or empty. */
const char *form_get(const struct form *f, const char *name);

/* Seconds since 1970, with a fraction, or RFC 3339; *unix_ms stays as it is where the field is
 * absent. -1: it is neither. */
int form_time(const struct form *f, const char *name, int64_t *unix_ms);
/* Seconds, with a fraction, or as Prometheus writes durations ("1h30m"); likewise. */
int form_duration(const struct form *f, const char *name, int64_t *ms);
/* A whole number; likewise. */
int form_number(const struct form *f, const char *name, uint64_t *number);

#endif

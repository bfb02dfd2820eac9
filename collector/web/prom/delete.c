// SPDX-License-Identifier: Apache-2.0
/* POST /api/v1/admin/tsdb/delete_series, and clean_tombstones: as Prometheus has them, and as there
 * only where the operator allows it (the option admin-api). What is deleted is gone from every
 * answer when this is answered, and from the disk when blocks are merged; the archive keeps its
 * own. */
#include "collector/web/prom/prom.h"

static bool may(struct prom_call *c)
{
    if (c->web->admin)
        return true;
    prom_fail(c, PROM_UNAVAILABLE,
              "admin APIs disabled: the collector's option admin-api allows them");
    return false;
}

static bool parse_times(struct prom_call *c, int64_t *from_ms, int64_t *to_ms)
{
    *from_ms = INT64_MIN;
    *to_ms = INT64_MAX;
    if (form_time(&c->form, "start", from_ms) != 0)
        prom_fail_parameter(c, "start", "seconds since 1970 or a time");
    else if (form_time(&c->form, "end", to_ms) != 0)
        prom_fail_parameter(c, "end", "seconds since 1970 or a time");
    else if (*to_ms < *from_ms)
        prom_fail(c, PROM_BAD_DATA, "invalid parameter \"end\": it is before start");
    else
        return true;
    return false;
}

/* Everything is parsed before anything is deleted: a mistake in the second match[] must not leave
 * the first one done. */
static bool parse_all(struct prom_call *c, struct prom_match *matches, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < c->form.count; i++) {
        if (strcmp(c->form.fields[i].name, "match[]") != 0)
            continue;
        struct prom_match *m = &matches[(*count)++];
        if (prom_match_parse(c, &c->form.fields[i], m) != 0)
            return false;
        if (m->count > MATCHERS_MAX) {
            prom_fail(c, PROM_BAD_DATA, "invalid parameter \"match[]\": more than %d matchers",
                      MATCHERS_MAX);
            return false;
        }
    }
    if (*count > 0)
        return true;
    prom_fail(c, PROM_BAD_DATA, "no match[] parameter provided");
    return false;
}

static void delete_all(struct prom_call *c, const struct prom_match *matches, size_t count,
                       int64_t from_ms, int64_t to_ms)
{
    for (size_t i = 0; i < count; i++) {
        int error =
            series_store_delete(c->web->series, matches[i].list, matches[i].count, from_ms, to_ms);
        if (error == SERIES_OK)
            continue;
        prom_fail(
            c, error == SERIES_ENOMEM ? PROM_UNAVAILABLE : PROM_INTERNAL,
            error == SERIES_ENOMEM
                ? "the collector is out of memory; ask again"
                : "what is to be deleted cannot be noted on the disk: see the collector's log");
        return;
    }
    reply_fini(c->reply);
    c->reply->status = 204;
}

void prom_delete_series(const struct api_call *call, struct reply *reply)
{
    struct prom_call c;
    int64_t from_ms, to_ms;
    size_t count = 0;
    if (!prom_begin(&c, call, reply))
        return;
    struct prom_match *matches = arena_calloc(&c.arena, c.form.count + 1, sizeof *matches);
    if (!matches)
        prom_fail(&c, PROM_UNAVAILABLE, "the collector is out of memory; ask again");
    else if (may(&c) && parse_times(&c, &from_ms, &to_ms) && parse_all(&c, matches, &count))
        delete_all(&c, matches, count, from_ms, to_ms);
    for (size_t i = 0; i < count; i++)
        prom_match_fini(&matches[i]);
    prom_end(&c);
}

/* Blocks are cleaned by themselves; who asks for it to be done need not wait for that. */
void prom_clean_tombstones(const struct api_call *call, struct reply *reply)
{
    struct prom_call c;
    if (!prom_begin(&c, call, reply))
        return;
    if (may(&c))
        reply->status = 204;
    prom_end(&c);
}

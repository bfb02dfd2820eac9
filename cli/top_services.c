// SPDX-License-Identifier: Apache-2.0
#include "cli/top_services.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/codec/key_text.h"
#include "weft.pb-c.h"

void top_services_fini(struct top_services *s)
{
    for (uint32_t i = 0; i < s->count; i++)
        free(s->list[i].name);
    free(s->list);
    *s = (struct top_services){0};
}

static const struct top_service *find(const struct top_services *s, const char *name)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (strcmp(s->list[i].name, name) == 0)
            return &s->list[i];
    return NULL;
}

/* Counts that are lower than before began anew, with the agent. */
static double grown(double before, double now)
{
    return now >= before ? now - before : now;
}

static void add_row(const struct top_services *before, const Weft__ServiceSummary *now,
                    double seconds, struct top_table *t)
{
    struct buffer name = {0};
    const struct top_service *was = find(before, now->service);
    double requests = grown(was ? was->requests : 0, (double)now->requests),
           errors = grown(was ? was->errors : 0, (double)now->errors);
    struct top_row *row = top_table_add(t);
    key_text(&name, (struct batch_str){now->service, (uint32_t)strlen(now->service)});
    top_set_text(t, row, "service", buffer_cstring(&name), name.length);
    buffer_fini(&name);
    top_set_number(t, row, "requests", requests);
    top_set_number(t, row, "requests_per_s", requests / seconds);
    top_set_number(t, row, "errors_per_s", errors / seconds);
    top_set_number(t, row, "error_share", errors / requests);
    top_set_number(t, row, "p50_seconds", now->measured ? now->p50_seconds : NAN);
    top_set_number(t, row, "p99_seconds", now->measured ? now->p99_seconds : NAN);
    t->totals.per_second =
        (isnan(t->totals.per_second) ? 0 : t->totals.per_second) + requests / seconds;
}

static int remember(struct top_services *s, const Weft__Summaries *m, int64_t now_ms)
{
    top_services_fini(s);
    s->list = calloc(m->n_services + 1, sizeof *s->list);
    for (size_t i = 0; s->list && i < m->n_services; i++) {
        const Weft__ServiceSummary *from = m->services[i];
        struct top_service *to = &s->list[s->count];
        *to = (struct top_service){strdup(from->service), (double)from->requests,
                                   (double)from->errors};
        if (!to->name)
            return -1;
        s->count++;
    }
    s->at_ms = now_ms;
    return s->list ? 0 : -1;
}

int top_services_rows(struct top_services *before, const void *message, size_t length,
                      int64_t now_ms, struct top_table *t)
{
    Weft__Summaries *m = weft__summaries__unpack(NULL, length, message);
    if (!m)
        return -1;
    t->totals.lost_spans = 0;
    for (size_t i = 0; i < m->n_losses; i++)
        t->totals.lost_spans += (double)m->losses[i]->count;
    double seconds = (double)(now_ms - before->at_ms) / 1e3;
    if (before->at_ms > 0 && seconds > 0) {
        t->totals.seconds = seconds;
        for (size_t i = 0; i < m->n_services; i++)
            add_row(before, m->services[i], seconds, t);
    }
    int result = remember(before, m, now_ms);
    weft__summaries__free_unpacked(m, NULL);
    return result;
}

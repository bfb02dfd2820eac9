// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "collector/web/prom/prom.h"

static int compile(struct prom_call *c, const struct promql_matcher *from, struct matcher *to)
{
    char why[256];
    *to = (struct matcher){.kind = from->kind, .name = from->name, .value = from->value};
    if (from->kind != MATCH_REGEX && from->kind != MATCH_NOT_REGEX)
        return 0;
    to->regex = regex_create(from->value.bytes, from->value.length, why, sizeof why);
    if (to->regex)
        return 0;
    prom_fail(c, PROM_BAD_DATA, "invalid pattern: %s", why);
    return -1;
}

int prom_match_parse(struct prom_call *c, const struct form_field *field, struct prom_match *m)
{
    struct promql_query *query;
    struct language_error error;
    *m = (struct prom_match){0};
    if (promql_parse(&c->arena, field->value, field->length, &query, &error) != LANGUAGE_SOUND) {
        prom_fail(c, PROM_BAD_DATA, "invalid parameter \"match[]\": %u:%u: %s", error.line,
                  error.column, error.message);
        return -1;
    }
    const struct promql_expr *e = promql_bare(query->expr);
    if (e->form != PROMQL_SELECTOR || e->selector.range) {
        prom_fail(c, PROM_BAD_DATA, "invalid parameter \"match[]\": expected a vector selector");
        return -1;
    }
    return prom_match_of(c, e, m);
}

int prom_match_of(struct prom_call *c, const struct promql_expr *e, struct prom_match *m)
{
    *m = (struct prom_match){0};
    m->list = calloc(e->selector.matcher_count + 1, sizeof *m->list);
    if (!m->list) {
        prom_fail(c, PROM_UNAVAILABLE, "no memory");
        return -1;
    }
    for (uint32_t i = 0; i < e->selector.matcher_count; i++) {
        if (compile(c, &e->selector.matchers[i], &m->list[i]) != 0)
            return -1;
        m->count++;
    }
    return 0;
}

void prom_match_fini(struct prom_match *m)
{
    for (size_t i = 0; i < m->count; i++) {
        struct regex *r = (struct regex *)(uintptr_t)m->list[i].regex;
        if (r)
            regex_destroy(&r);
    }
    free(m->list);
    *m = (struct prom_match){0};
}

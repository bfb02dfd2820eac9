// SPDX-License-Identifier: Apache-2.0
/* /api/v1/series, labels, label/NAME/values, metadata, query_exemplars: what there is. */
#include <stdlib.h>

#include "collector/archive/archive.h"
#include "collector/web/prom/prom.h"

enum { SERIES_MOST = 1000000 };

/* ---- what they have in common ------------------------------------------------------------ */

struct window {
    int64_t from_ms, to_ms;
    uint64_t limit; /* 0: none */
};

static bool parse_window(struct prom_call *c, struct window *w)
{
    *w = (struct window){INT64_MIN, INT64_MAX, 0};
    if (form_time(&c->form, "start", &w->from_ms) != 0)
        prom_fail_parameter(c, "start", "seconds since 1970 or a time");
    else if (form_time(&c->form, "end", &w->to_ms) != 0)
        prom_fail_parameter(c, "end", "seconds since 1970 or a time");
    else if (w->to_ms < w->from_ms)
        prom_fail(c, PROM_BAD_DATA, "invalid parameter \"end\": it is before start");
    else if (form_number(&c->form, "limit", &w->limit) != 0)
        prom_fail_parameter(c, "limit", "a whole number");
    else
        return true;
    return false;
}

static void fail_store(struct prom_call *c, int error)
{
    switch (error) {
    case SERIES_EDISK:
        prom_fail(c, PROM_INTERNAL, "samples on disk cannot be read: see the collector's log");
        return;
    case SERIES_ELIMIT:
        prom_fail(c, PROM_EXECUTION, "more series than may be told: ask for fewer");
        return;
    default:
        prom_fail(c, PROM_UNAVAILABLE, "the collector is out of memory; ask again, or for less");
    }
}

/* Calls for each match[], or once without any. Stops where `each` does not answer 0. */
static int each_match(struct prom_call *c,
                      int (*each)(struct prom_call *c, const struct prom_match *m, void *context),
                      void *context)
{
    int result = 0;
    bool any = false;
    for (size_t i = 0; i < c->form.count && result == 0; i++) {
        struct prom_match m;
        if (strcmp(c->form.fields[i].name, "match[]") != 0)
            continue;
        any = true;
        result = prom_match_parse(c, &c->form.fields[i], &m);
        if (result == 0)
            result = each(c, &m, context);
        prom_match_fini(&m);
    }
    if (!any && result == 0)
        result = each(c, &(struct prom_match){0}, context);
    return result;
}

static void put_warning_of_limit(struct prom_call *c, bool cut)
{
    static const struct promql_annotation warning = {true, PROM_TRUNCATED};
    prom_close_data(c, &warning, cut ? 1 : 0);
}

/* ---- names and values of labels ---------------------------------------------------------- */

struct strings {
    struct window window;
    struct batch_str label;       /* whose values; empty: names are asked for */
    struct series_strings *lists; /* of each match[] the store's and the archive's */
    size_t count;
};

static int ask_store(const struct prom_call *c, const struct strings *s, const struct prom_match *m,
                     struct series_strings *out)
{
    return s->label.length ? series_store_label_values(c->web->series, s->label, m->list, m->count,
                                                       s->window.from_ms, s->window.to_ms, out)
                           : series_store_label_names(c->web->series, m->list, m->count,
                                                      s->window.from_ms, s->window.to_ms, out);
}

static int add_strings(struct prom_call *c, const struct prom_match *m, void *context)
{
    struct strings *s = context;
    struct series_strings *lists = realloc(s->lists, (s->count + 2) * sizeof *lists);
    if (!lists) {
        fail_store(c, SERIES_ENOMEM);
        return -1;
    }
    s->lists = lists;
    int error = ask_store(c, s, m, &lists[s->count]);
    s->count += error == SERIES_OK;
    if (error == SERIES_OK && c->web->archive) {
        error = archive_label_strings(c->web->archive, s->label, m->list, m->count,
                                      s->window.from_ms, s->window.to_ms, &lists[s->count]);
        s->count += error == SERIES_OK;
    }
    if (error != SERIES_OK)
        fail_store(c, error);
    return error == SERIES_OK ? 0 : -1;
}

/* The least of the heads of all lists; moves on all that have it. */
static bool next_string(const struct strings *s, size_t *at, struct batch_str *out)
{
    bool found = false;
    for (size_t i = 0; i < s->count; i++)
        if (at[i] < s->lists[i].count &&
            (!found || batch_str_compare(s->lists[i].items[at[i]], *out) < 0)) {
            *out = s->lists[i].items[at[i]];
            found = true;
        }
    for (size_t i = 0; found && i < s->count; i++)
        at[i] += at[i] < s->lists[i].count && batch_str_equal(s->lists[i].items[at[i]], *out);
    return found;
}

static void put_strings(struct prom_call *c, const struct strings *s)
{
    struct batch_str text = {"", 0};
    size_t *at = arena_calloc(&c->arena, s->count, sizeof *at);
    uint64_t told = 0;
    bool cut = false;
    if (!at) {
        fail_store(c, SERIES_ENOMEM);
        return;
    }
    prom_open_data(c);
    json_open_array(&c->json);
    while (!cut && next_string(s, at, &text)) {
        cut = s->window.limit && told++ == s->window.limit;
        if (!cut)
            json_put_string(&c->json, text.bytes, text.length);
    }
    json_close_array(&c->json);
    put_warning_of_limit(c, cut);
}

static void answer_strings(const struct api_call *call, struct batch_str label, struct reply *reply)
{
    struct prom_call c;
    struct strings s = {.label = label};
    if (!prom_begin(&c, call, reply))
        return;
    if (parse_window(&c, &s.window) && each_match(&c, add_strings, &s) == 0)
        put_strings(&c, &s);
    for (size_t i = 0; i < s.count; i++)
        free(s.lists[i].items);
    free(s.lists);
    prom_end(&c);
}

void prom_labels(const struct api_call *call, struct reply *reply)
{
    answer_strings(call, (struct batch_str){"", 0}, reply);
}

/* "NAME/values"; a name that is no plain one may come as U__ with its odd characters as _HEX_. */
static bool parse_label_name(const char *rest, char out[LABEL_NAME_BYTES_MAX],
                             struct batch_str *name)
{
    const char *slash = strrchr(rest, '/');
    size_t length = slash ? (size_t)(slash - rest) : 0;
    if (length == 0 || length > LABEL_NAME_BYTES_MAX || strcmp(slash, "/values") != 0)
        return false;
    if (length < 3 || memcmp(rest, "U__", 3) != 0) {
        memcpy(out, rest, length);
        *name = (struct batch_str){out, (uint32_t)length};
        return true;
    }
    uint32_t n = 0;
    for (const char *at = rest + 3; at < slash;) {
        char *end;
        if (*at != '_' || at[1] == '_') {
            out[n++] = *at;
            at += *at == '_' ? 2 : 1;
            continue;
        }
        unsigned long code = strtoul(at + 1, &end, 16);
        if (*end != '_' || code > 0x7f)
            return false;
        out[n++] = (char)code;
        at = end + 1;
    }
    *name = (struct batch_str){out, n};
    return n > 0;
}

void prom_label_values(const struct api_call *call, struct reply *reply)
{
    char text[LABEL_NAME_BYTES_MAX];
    struct batch_str name;
    if (parse_label_name(call->rest, text, &name)) {
        answer_strings(call, name, reply);
        return;
    }
    struct prom_call c;
    if (prom_begin(&c, call, reply)) {
        prom_fail(&c, PROM_BAD_DATA, "expected /api/v1/label/NAME/values");
        prom_end(&c);
    }
}

/* ---- series ------------------------------------------------------------------------------ */

struct found {
    struct window window;
    const struct labels **list; /* in selections that are open */
    size_t count, capacity;
    struct series_selection *selections;
    size_t selection_count;
};

static int add_series(struct prom_call *c, const struct prom_match *m, void *context)
{
    struct found *f = context;
    const struct series_source *source = web_source(c->web);
    struct series_selection *all = realloc(f->selections, (f->selection_count + 1) * sizeof *all);
    if (!all) {
        fail_store(c, SERIES_ENOMEM);
        return -1;
    }
    f->selections = all;
    struct series_selection *s = &all[f->selection_count];
    int error =
        source->select(source->context, m->list, m->count, f->window.from_ms, f->window.to_ms, s);
    if (error != SERIES_OK) {
        fail_store(c, error);
        return -1;
    }
    f->selection_count++;
    if (f->count + s->count > SERIES_MOST) {
        fail_store(c, SERIES_ELIMIT);
        return -1;
    }
    const struct labels **list =
        realloc((void *)f->list, (f->count + s->count + 1) * sizeof(struct labels *));
    if (!list) {
        fail_store(c, SERIES_ENOMEM);
        return -1;
    }
    f->list = list;
    for (size_t i = 0; i < s->count; i++)
        f->list[f->count++] = &s->labels[i];
    return 0;
}

static int compare_series(const void *a, const void *b)
{
    return labels_compare(*(const struct labels *const *)a, *(const struct labels *const *)b);
}

static void put_found(struct prom_call *c, struct found *f)
{
    uint64_t told = 0;
    bool cut = false;
    if (f->selection_count > 1)
        qsort((void *)f->list, f->count, sizeof(struct labels *), compare_series);
    prom_open_data(c);
    json_open_array(&c->json);
    for (size_t i = 0; i < f->count && !cut; i++) {
        if (i > 0 && labels_equal(f->list[i - 1], f->list[i]))
            continue;
        cut = f->window.limit && told++ == f->window.limit;
        if (!cut)
            prom_put_labels(&c->json, f->list[i]);
    }
    json_close_array(&c->json);
    put_warning_of_limit(c, cut);
}

void prom_series(const struct api_call *call, struct reply *reply)
{
    struct prom_call c;
    struct found f = {0};
    if (!prom_begin(&c, call, reply))
        return;
    if (!form_find(&c.form, "match[]"))
        prom_fail(&c, PROM_BAD_DATA, "no match[] parameter provided");
    else if (parse_window(&c, &f.window) && each_match(&c, add_series, &f) == 0)
        put_found(&c, &f);
    const struct series_source *source = web_source(call->web);
    for (size_t i = 0; i < f.selection_count; i++)
        source->close(source->context, &f.selections[i]);
    free(f.selections);
    free((void *)f.list);
    prom_end(&c);
}

/* ---- metadata ---------------------------------------------------------------------------- */

static void put_metadata(struct json_writer *w, const struct series_metadata *m)
{
    char key[LABEL_NAME_BYTES_MAX + 1];
    size_t length = m->metric.length < sizeof key ? m->metric.length : sizeof key - 1;
    memcpy(key, m->metric.bytes, length);
    key[length] = '\0';
    json_field_array(w, key);
    json_open_object(w);
    json_field_text(w, "type", metric_type_name(m->type));
    json_field_string(w, "help", m->help.bytes, m->help.length);
    json_field_string(w, "unit", m->unit.bytes, m->unit.length);
    json_close_object(w);
    json_close_array(w);
}

void prom_metadata(const struct api_call *call, struct reply *reply)
{
    struct prom_call c;
    struct series_metadata *list;
    size_t count = 0;
    uint64_t limit = 0;
    if (!prom_begin(&c, call, reply))
        return;
    const struct form_field *field = form_find(&c.form, "metric");
    struct batch_str metric = {field ? field->value : "", field ? (uint32_t)field->length : 0};
    if (form_number(&c.form, "limit", &limit) != 0) {
        prom_fail_parameter(&c, "limit", "a whole number");
    } else if (series_store_metadata(c.web->series, field ? &metric : NULL, &c.arena, &list,
                                     &count) != SERIES_OK) {
        fail_store(&c, SERIES_ENOMEM);
    } else {
        prom_open_data(&c);
        json_open_object(&c.json);
        for (size_t i = 0; i < count && (limit == 0 || i < limit); i++)
            put_metadata(&c.json, &list[i]);
        json_close_object(&c.json);
        prom_close_data(&c, NULL, 0);
    }
    prom_end(&c);
}

/* ---- exemplars --------------------------------------------------------------------------- */

static void put_exemplars_of(struct json_writer *w, const struct series_exemplars *s)
{
    char value[32];
    json_open_object(w);
    json_key(w, "seriesLabels");
    prom_put_labels(w, &s->labels);
    json_field_array(w, "exemplars");
    for (size_t i = 0; i < s->count; i++) {
        const struct exemplar *e = &s->list[i];
        json_open_object(w);
        json_key(w, "labels");
        prom_put_labels(w, &e->labels);
        prom_number(e->value, value);
        json_field_text(w, "value", value);
        json_key(w, "timestamp");
        prom_put_time(w, e->unix_ms);
        json_close_object(w);
    }
    json_close_array(w);
    json_close_object(w);
}

/* The selectors of the query, wherever they stand. */
static int each_selector(struct prom_call *c, const struct promql_expr *e,
                         const struct window *window)
{
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (each_selector(c, e->args[i], window) != 0)
            return -1;
    if (e->form != PROMQL_SELECTOR)
        return 0;
    struct series_exemplars *list;
    struct prom_match m;
    size_t count = 0;
    int error = prom_match_of(c, e, &m);
    if (error == 0)
        error = series_store_exemplars(c->web->series, m.list, m.count, window->from_ms,
                                       window->to_ms, &c->arena, &list, &count);
    if (error != 0 && c->reply->status == 200)
        fail_store(c, error);
    for (size_t i = 0; i < count; i++)
        put_exemplars_of(&c->json, &list[i]);
    prom_match_fini(&m);
    return error ? -1 : 0;
}

void prom_exemplars(const struct api_call *call, struct reply *reply)
{
    struct prom_call c;
    struct window window;
    struct promql_query *query;
    struct language_error error;
    if (!prom_begin(&c, call, reply))
        return;
    const struct form_field *field = form_find(&c.form, "query");
    if (!field) {
        prom_fail(&c, PROM_BAD_DATA, "invalid parameter \"query\": it is missing");
    } else if (promql_parse(&c.arena, field->value, field->length, &query, &error) !=
               LANGUAGE_SOUND) {
        prom_fail(&c, PROM_BAD_DATA, "invalid parameter \"query\": %u:%u: %s", error.line,
                  error.column, error.message);
    } else if (parse_window(&c, &window)) {
        prom_open_data(&c);
        json_open_array(&c.json);
        if (each_selector(&c, query->expr, &window) == 0) {
            json_close_array(&c.json);
            prom_close_data(&c, NULL, 0);
        }
    }
    prom_end(&c);
}

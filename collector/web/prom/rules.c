// SPDX-License-Identifier: Apache-2.0
/* /api/v1/rules and /api/v1/alerts. */
#include <stdio.h>
#include <string.h>

#include "collector/rules/rules.h"
#include "collector/web/prom/prom.h"

struct putting {
    struct prom_call *c;
    bool records, alerts, without_alerts;
};

static void put_pairs(struct json_writer *w, const char *key, const struct labels *l)
{
    json_key(w, key);
    prom_put_labels(w, l);
}

static void put_texts(struct json_writer *w, const char *key, const struct rule_text *list,
                      uint32_t count)
{
    struct label items[LABELS_MAX];
    for (uint32_t i = 0; i < count; i++)
        items[i] = (struct label){list[i].name, list[i].value};
    put_pairs(w, key, &(struct labels){items, count});
}

/* What has not come yet is in the year 1, as Prometheus has it. */
static void put_time(struct json_writer *w, const char *key, int64_t unix_ms)
{
    char text[40] = "0001-01-01T00:00:00Z";
    if (unix_ms > 0)
        rule_print_time(unix_ms, text);
    json_field_text(w, key, text);
}

static void put_alert(struct json_writer *w, const struct alert *a)
{
    char value[40];
    snprintf(value, sizeof value, "%.17g", a->value);
    for (int digits = 0; digits < 17; digits++) {
        double back;
        snprintf(value, sizeof value, "%.*e", digits, a->value);
        if (sscanf(value, "%lf", &back) == 1 && back == a->value)
            break;
    }
    json_open_object(w);
    put_pairs(w, "labels", a->labels);
    put_pairs(w, "annotations", a->annotations);
    json_field_text(w, "state", alert_state_name(a->state));
    put_time(w, "activeAt", a->active_ms);
    if (a->keep_since_ms > 0)
        put_time(w, "keepFiringSince", a->keep_since_ms);
    json_field_text(w, "value", value);
    json_close_object(w);
}

static void put_alerts(struct json_writer *w, const struct alerts *alerts)
{
    for (struct alert *a = alerts_next(alerts, NULL); a; a = alerts_next(alerts, a))
        if (a->state != ALERT_INACTIVE)
            put_alert(w, a);
}

static void put_rule(const struct putting *p, const struct rule_state *s)
{
    struct json_writer *w = &p->c->json;
    const struct rule *rule = s->rule;
    json_open_object(w);
    if (rule->is_alert)
        json_field_text(w, "state", alert_state_name(alerts_state(&s->alerts)));
    json_field_text(w, "name", rule->name);
    json_field_text(w, "query", rule->expr);
    if (rule->is_alert) {
        json_field_double(w, "duration", (double)rule->for_ms / 1000);
        json_field_double(w, "keepFiringFor", (double)rule->keep_firing_ms / 1000);
    }
    put_texts(w, "labels", rule->labels, rule->label_count);
    if (rule->is_alert) {
        put_texts(w, "annotations", rule->annotations, rule->annotation_count);
        json_field_array(w, "alerts");
        if (!p->without_alerts)
            put_alerts(w, &s->alerts);
        json_close_array(w);
    }
    json_field_text(w, "health", rule_health_name(s->health));
    if (s->error[0])
        json_field_text(w, "lastError", s->error);
    json_field_double(w, "evaluationTime", s->seconds);
    put_time(w, "lastEvaluation", s->last_ms);
    json_field_text(w, "type", rule->is_alert ? "alerting" : "recording");
    json_close_object(w);
}

/* Whether the form asks for this value of the field, or for none. */
static bool is_wanted(const struct form *f, const char *field, const char *value)
{
    bool asked = false;
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->fields[i].name, field) != 0)
            continue;
        if (strcmp(f->fields[i].value, value) == 0)
            return true;
        asked = true;
    }
    return !asked;
}

static bool is_rule_wanted(const struct putting *p, const struct rule *rule)
{
    return (rule->is_alert ? p->alerts : p->records) &&
           is_wanted(&p->c->form, "rule_name[]", rule->name);
}

static void put_group(void *context, const struct group_state *g)
{
    const struct putting *p = context;
    struct json_writer *w = &p->c->json;
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < g->group->rule_count; i++)
        wanted += is_rule_wanted(p, g->rules[i].rule);
    if ((wanted == 0 && g->group->rule_count > 0) ||
        !is_wanted(&p->c->form, "rule_group[]", g->group->name) ||
        !is_wanted(&p->c->form, "file[]", g->group->file))
        return;
    json_open_object(w);
    json_field_text(w, "name", g->group->name);
    json_field_text(w, "file", g->group->file);
    json_field_array(w, "rules");
    for (uint32_t i = 0; i < g->group->rule_count; i++)
        if (is_rule_wanted(p, g->rules[i].rule))
            put_rule(p, &g->rules[i]);
    json_close_array(w);
    json_field_double(w, "interval", (double)g->group->interval_ms / 1000);
    json_field_uint(w, "limit", g->group->limit);
    json_field_double(w, "evaluationTime", g->seconds);
    put_time(w, "lastEvaluation", g->last_ms);
    json_close_object(w);
}

static void put_group_alerts(void *context, const struct group_state *g)
{
    const struct putting *p = context;
    for (uint32_t i = 0; i < g->group->rule_count; i++)
        put_alerts(&p->c->json, &g->rules[i].alerts);
}

static void put_list(struct putting *p, const char *key,
                     void (*each)(void *context, const struct group_state *g))
{
    struct prom_call *c = p->c;
    prom_open_data(c);
    json_open_object(&c->json);
    json_field_array(&c->json, key);
    if (c->web->rules)
        rules_visit(c->web->rules, each, p);
    json_close_array(&c->json);
    json_close_object(&c->json);
    prom_close_data(c, NULL, 0);
}

void prom_rules(const struct api_call *call, struct reply *reply)
{
    struct prom_call c;
    struct putting p = {.c = &c, .records = true, .alerts = true};
    if (!prom_begin(&c, call, reply))
        return;
    const char *type = form_get(&c.form, "type"), *without = form_get(&c.form, "exclude_alerts");
    if (type) {
        p.records = strcmp(type, "record") == 0;
        p.alerts = strcmp(type, "alert") == 0;
    }
    p.without_alerts = without && strcmp(without, "true") == 0;
    if (type && !p.records && !p.alerts)
        prom_fail_parameter(&c, "type", "alert or record");
    else
        put_list(&p, "groups", put_group);
    prom_end(&c);
}

void prom_alerts(const struct api_call *call, struct reply *reply)
{
    struct prom_call c;
    struct putting p = {.c = &c};
    if (!prom_begin(&c, call, reply))
        return;
    put_list(&p, "alerts", put_group_alerts);
    prom_end(&c);
}

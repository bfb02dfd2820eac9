// SPDX-License-Identifier: Apache-2.0
/* A file of rules: from YAML to groups that are checked. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/query/promql/functions.h"
#include "collector/rules/rule.h"
#include "lib/base/yaml_lines.h"

struct reading {
    struct yaml_lines yaml;
    struct rule_set *set;
    struct arena *arena;
    const char *file; /* in the arena */
    const yaml_node_t *group_labels;
};

enum {
    GROUP_NAME,
    GROUP_INTERVAL,
    GROUP_OFFSET,
    GROUP_LIMIT,
    GROUP_LABELS,
    GROUP_RULES,
    GROUP_KEYS
};
static const char *const group_keys[GROUP_KEYS] = {"name",  "interval", "query_offset",
                                                   "limit", "labels",   "rules"};
enum {
    RULE_RECORD,
    RULE_ALERT,
    RULE_EXPR,
    RULE_FOR,
    RULE_KEEP,
    RULE_LABELS,
    RULE_NOTES,
    RULE_KEYS
};
static const char *const rule_keys[RULE_KEYS] = {"record",          "alert",  "expr",       "for",
                                                 "keep_firing_for", "labels", "annotations"};

static int no_memory(struct reading *r, const yaml_node_t *node)
{
    return yaml_lines_fail(&r->yaml, node, "some", "no memory");
}

/* ---- single values ----------------------------------------------------------------------- */

bool rule_parse_duration(const char *text, int64_t *ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"y", INT64_C(31536000000)},
                 {"w", 604800000},
                 {"d", 86400000},
                 {"h", 3600000},
                 {"m", 60000},
                 {"s", 1000},
                 {"ms", 1}};
    const size_t count = sizeof units / sizeof *units;
    size_t next = 0; /* units stand from large to small, none twice */
    int64_t sum = 0;
    if (strcmp(text, "0") == 0) {
        *ms = 0;
        return true;
    }
    if (*text == '\0')
        return false;
    while (*text) {
        int64_t number = 0;
        if (!isdigit((unsigned char)*text))
            return false;
        for (; isdigit((unsigned char)*text) && number < 1000000000000; text++)
            number = number * 10 + (*text - '0');
        size_t length = 0;
        while (isalpha((unsigned char)text[length]))
            length++;
        while (next < count &&
               (strlen(units[next].unit) != length || strncmp(units[next].unit, text, length) != 0))
            next++;
        if (next == count || number > (INT64_MAX / 1000000 - sum) / units[next].ms)
            return false;
        sum += number * units[next++].ms;
        text += length;
    }
    *ms = sum;
    return true;
}

static int read_duration(struct reading *r, const yaml_node_t *node, const char *what, int64_t *ms)
{
    const char *text = node ? yaml_lines_text(&r->yaml, node, what) : "";
    if (!node)
        return 0;
    if (!text)
        return -1;
    if (rule_parse_duration(text, ms))
        return 0;
    return yaml_lines_fail(&r->yaml, node, "a duration such as 1m30s", "\"%.100s\" as %s", text,
                           what);
}

static int read_limit(struct reading *r, const yaml_node_t *node, uint32_t *limit)
{
    const char *text = node ? yaml_lines_text(&r->yaml, node, "limit") : "0";
    if (!text)
        return -1;
    char *end;
    long value = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value < 0 || value > INT32_MAX)
        return yaml_lines_fail(&r->yaml, node, "a whole number from 0 on", "\"%.100s\" as limit",
                               text);
    *limit = (uint32_t)value;
    return 0;
}

/* A text that may not be empty, in the arena; NULL with the complaint. */
static const char *read_name(struct reading *r, const yaml_node_t *node, const char *what)
{
    const char *text = yaml_lines_text(&r->yaml, node, what);
    if (text && *text == '\0') {
        yaml_lines_fail(&r->yaml, node, "a name", "an empty %s", what);
        return NULL;
    }
    const char *copy = text ? arena_copy(r->arena, text, strlen(text) + 1) : NULL;
    if (text && !copy)
        no_memory(r, node);
    return copy;
}

/* ---- labels ------------------------------------------------------------------------------ */

static int compare_texts(const void *a, const void *b)
{
    const struct rule_text *x = a, *y = b;
    return batch_str_compare(x->name, y->name);
}

static int check_name(struct reading *r, const yaml_node_t *node, const char *name,
                      const char *what)
{
    struct batch_str s = {name, (uint32_t)strlen(name)};
    if (!promql_is_name(s) || s.length > LABEL_NAME_BYTES_MAX)
        return yaml_lines_fail(&r->yaml, node, "a name of 1 to 1,024 bytes", "a bad name of %s",
                               what);
    if (strcmp(name, LABEL_METRIC) == 0)
        return yaml_lines_fail(&r->yaml, node, "another name: the rule's own is the metric's",
                               "%s \"" LABEL_METRIC "\"", what);
    return 0;
}

static int read_text(struct reading *r, const yaml_node_t *key, const yaml_node_t *value,
                     bool expands, const char *what, struct rule_text *out)
{
    char why[300];
    const char *name = yaml_lines_text(&r->yaml, key, what);
    const char *text = name ? yaml_lines_text(&r->yaml, value, what) : NULL;
    if (!text || check_name(r, key, name, what) != 0)
        return -1;
    if (strlen(text) > LABEL_VALUE_BYTES_MAX)
        return yaml_lines_fail(&r->yaml, value, "at most 65,535 bytes", "a long %s", what);
    out->name.length = (uint32_t)strlen(name);
    out->value.length = (uint32_t)strlen(text);
    out->name.bytes = arena_copy(r->arena, name, out->name.length + 1);
    out->value.bytes = arena_copy(r->arena, text, out->value.length + 1);
    if (!out->name.bytes || !out->value.bytes)
        return no_memory(r, value);
    out->template = expands ? template_parse(r->arena, text, why, sizeof why) : NULL;
    if (!expands || out->template)
        return 0;
    snprintf(r->yaml.why, r->yaml.why_size, "%s:%zu: %s \"%.100s\": %s", r->file,
             value->start_mark.line + 1, what, name, why);
    return -1;
}

/* Adds the mapping's pairs to the list; those that are in it already go before. */
static int add_texts(struct reading *r, const yaml_node_t *mapping, bool expands, const char *what,
                     bool defaults, struct rule_text *list, uint32_t *count)
{
    yaml_node_t *key, *value;
    uint32_t own = *count;
    for (size_t i = 0; mapping && yaml_lines_pair(&r->yaml, mapping, i, &key, &value); i++) {
        uint32_t at = 0;
        if (read_text(r, key, value, expands, what, &list[*count]) != 0)
            return -1;
        while (!batch_str_equal(list[at].name, list[*count].name))
            at++;
        if (at < *count && !(defaults && at < own))
            return yaml_lines_fail(&r->yaml, key, "it once", "%s \"%.100s\" again", what,
                                   list[at].name.bytes);
        *count += at == *count;
    }
    qsort(list, *count, sizeof *list, compare_texts);
    return 0;
}

static size_t pairs_of(const yaml_node_t *mapping)
{
    return mapping ? (size_t)(mapping->data.mapping.pairs.top - mapping->data.mapping.pairs.start)
                   : 0;
}

static int read_texts(struct reading *r, const yaml_node_t *mapping, const yaml_node_t *defaults,
                      bool expands, const char *what, struct rule_text **list, uint32_t *count)
{
    if (mapping && mapping->type != YAML_MAPPING_NODE)
        return yaml_lines_fail(&r->yaml, mapping, "names with values", "%s as %s",
                               yaml_lines_kind(mapping), what);
    size_t room = pairs_of(mapping) + pairs_of(defaults);
    if (room > LABELS_MAX)
        return yaml_lines_fail(&r->yaml, mapping, "at most 128", "%zu of %s", room, what);
    *list = arena_calloc(r->arena, room + 1, sizeof **list);
    if (!*list)
        return no_memory(r, mapping);
    if (add_texts(r, mapping, expands, what, false, *list, count) != 0)
        return -1;
    return add_texts(r, defaults, expands, what, true, *list, count);
}

/* ---- rules ------------------------------------------------------------------------------- */

static int read_expr(struct reading *r, const yaml_node_t *node, struct rule *rule)
{
    struct promql_query *query;
    struct language_error e;
    const char *text = yaml_lines_text(&r->yaml, node, "expr");
    if (!text)
        return -1;
    if (promql_parse(r->arena, text, strlen(text), &query, &e) != LANGUAGE_SOUND) {
        snprintf(r->yaml.why, r->yaml.why_size, "%s:%zu: expr, line %u, column %u: %s", r->file,
                 node->start_mark.line + 1, e.line, e.column, e.message);
        return -1;
    }
    enum promql_type type = query->expr->type;
    if (type != PROMQL_VECTOR && (type != PROMQL_SCALAR || rule->is_alert))
        return yaml_lines_fail(&r->yaml, node,
                               rule->is_alert ? "an instant vector" : "an instant vector or scalar",
                               "an expr that is a %s", promql_type_name(type));
    rule->query = query;
    rule->expr = arena_copy(r->arena, text, strlen(text) + 1);
    return rule->expr ? 0 : no_memory(r, node);
}

static int check_record(struct reading *r, yaml_node_t *const *f, const char *name)
{
    for (int i = 0; i < RULE_KEYS; i++)
        if (f[i] && (i == RULE_FOR || i == RULE_KEEP || i == RULE_NOTES))
            return yaml_lines_fail(&r->yaml, f[i], "it with \"alert\" only",
                                   "\"%s\" of a recording rule", rule_keys[i]);
    if (strpbrk(name, "{}"))
        return yaml_lines_fail(&r->yaml, f[RULE_RECORD], "a metric's name without braces",
                               "\"%.100s\" as record", name);
    return check_name(r, f[RULE_RECORD], name, "record");
}

static int read_rule(struct reading *r, const yaml_node_t *node, struct rule *rule)
{
    yaml_node_t *f[RULE_KEYS];
    if (yaml_lines_fields(&r->yaml, node, rule_keys, RULE_KEYS, f) != 0)
        return -1;
    if (!f[RULE_RECORD] == !f[RULE_ALERT])
        return yaml_lines_fail(&r->yaml, node, "one of \"record\" and \"alert\"", "%s",
                               f[RULE_RECORD] ? "both" : "neither");
    if (!f[RULE_EXPR])
        return yaml_lines_fail(&r->yaml, node, "\"expr\"", "a rule without expr");
    rule->is_alert = f[RULE_ALERT] != NULL;
    rule->name = rule->is_alert ? read_name(r, f[RULE_ALERT], "alert")
                                : read_name(r, f[RULE_RECORD], "record");
    if (!rule->name || (!rule->is_alert && check_record(r, f, rule->name) != 0) ||
        read_expr(r, f[RULE_EXPR], rule) != 0 ||
        read_duration(r, f[RULE_FOR], "for", &rule->for_ms) != 0 ||
        read_duration(r, f[RULE_KEEP], "keep_firing_for", &rule->keep_firing_ms) != 0)
        return -1;
    if (read_texts(r, f[RULE_LABELS], r->group_labels, rule->is_alert, "label", &rule->labels,
                   &rule->label_count) != 0)
        return -1;
    return read_texts(r, f[RULE_NOTES], NULL, true, "annotation", &rule->annotations,
                      &rule->annotation_count);
}

/* ---- groups ------------------------------------------------------------------------------ */

static int read_rules(struct reading *r, const yaml_node_t *list, struct rule_group *g)
{
    size_t count = 0;
    if (list && !yaml_lines_is_list(list))
        return yaml_lines_fail(&r->yaml, list, "a list", "%s as rules", yaml_lines_kind(list));
    while (list && yaml_lines_item(&r->yaml, list, count))
        count++;
    g->rules = arena_calloc(r->arena, count + 1, sizeof *g->rules);
    if (!g->rules)
        return no_memory(r, list);
    for (; g->rule_count < count; g->rule_count++)
        if (read_rule(r, yaml_lines_item(&r->yaml, list, g->rule_count),
                      &g->rules[g->rule_count]) != 0)
            return -1;
    return 0;
}

static struct rule_group *add_group(struct rule_set *set)
{
    if (set->group_count == set->group_capacity) {
        uint32_t capacity = set->group_capacity ? set->group_capacity * 2 : 16;
        struct rule_group *larger = realloc(set->groups, capacity * sizeof *larger);
        if (!larger)
            return NULL;
        set->groups = larger;
        set->group_capacity = capacity;
    }
    struct rule_group *g = &set->groups[set->group_count++];
    *g = (struct rule_group){.interval_ms = RULES_INTERVAL_MS};
    return g;
}

/* Whether an earlier group of the file has the name. */
static bool is_repeated(const struct reading *r, const struct rule_group *g)
{
    for (const struct rule_group *o = r->set->groups; o < g; o++)
        if (strcmp(o->file, r->file) == 0 && strcmp(o->name, g->name) == 0)
            return true;
    return false;
}

static int read_group(struct reading *r, const yaml_node_t *node)
{
    yaml_node_t *f[GROUP_KEYS];
    if (yaml_lines_fields(&r->yaml, node, group_keys, GROUP_KEYS, f) != 0)
        return -1;
    if (!f[GROUP_NAME])
        return yaml_lines_fail(&r->yaml, node, "\"name\"", "a group without name");
    struct rule_group *g = add_group(r->set);
    if (!g)
        return no_memory(r, node);
    g->file = r->file;
    g->name = read_name(r, f[GROUP_NAME], "name");
    if (!g->name)
        return -1;
    if (is_repeated(r, g))
        return yaml_lines_fail(&r->yaml, f[GROUP_NAME], "another name",
                               "group \"%.100s\" again in this file", g->name);
    r->group_labels = f[GROUP_LABELS];
    if (r->group_labels && r->group_labels->type != YAML_MAPPING_NODE)
        return yaml_lines_fail(&r->yaml, r->group_labels, "names with values", "%s as labels",
                               yaml_lines_kind(r->group_labels));
    if (read_duration(r, f[GROUP_INTERVAL], "interval", &g->interval_ms) != 0 ||
        read_duration(r, f[GROUP_OFFSET], "query_offset", &g->offset_ms) != 0 ||
        read_limit(r, f[GROUP_LIMIT], &g->limit) != 0)
        return -1;
    if (g->interval_ms == 0)
        g->interval_ms = RULES_INTERVAL_MS;
    return read_rules(r, f[GROUP_RULES], g);
}

static int read_document(struct reading *r)
{
    static const char *const keys[] = {"groups"};
    yaml_node_t *root = yaml_lines_root(&r->yaml), *groups, *item;
    if (!root)
        return 0;
    if (yaml_lines_fields(&r->yaml, root, keys, 1, &groups) != 0)
        return -1;
    if (!groups)
        return 0;
    if (!yaml_lines_is_list(groups))
        return yaml_lines_fail(&r->yaml, groups, "a list", "%s as groups", yaml_lines_kind(groups));
    for (size_t i = 0; (item = yaml_lines_item(&r->yaml, groups, i)); i++)
        if (read_group(r, item) != 0)
            return -1;
    return 0;
}

int rule_set_read(struct rule_set *set, const char *file, const char *text, size_t length,
                  char *why, size_t why_size)
{
    struct reading r = {
        .yaml = {.file = file, .why = why, .why_size = why_size},
        .set = set,
        .arena = &set->arena,
        .file = arena_copy(&set->arena, file, strlen(file) + 1),
    };
    if (!r.file) {
        snprintf(why, why_size, "%s: no memory", file);
        return -1;
    }
    if (yaml_lines_open(&r.yaml, text, length) != 0)
        return -1;
    int result = read_document(&r);
    yaml_lines_close(&r.yaml);
    return result;
}

// SPDX-License-Identifier: Apache-2.0
#include "collector/archive/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/query/promql/functions.h"
#include "lib/base/yaml_lines.h"
#include "lib/codec/labels.h"

#define SERVER "span_kind=~\"SPAN_KIND_(SERVER|CONSUMER)\""
#define LATENCY                                                                                    \
    "sum by (service_name) (rate(traces_span_metrics_duration_seconds{" SERVER "}[1m])))"

/* Rates, errors and durations by service, and the hosts that collectd sees. */
static const char built_in[] =
    "archive:\n"
    "- record: service:requests:rate\n"
    "  expr: sum by (service_name) (rate(traces_span_metrics_calls_total{" SERVER "}[1m]))\n"
    "- record: service:errors:rate\n"
    "  expr: sum by (service_name) (rate(traces_span_metrics_calls_total{" SERVER
    ",status_code=\"STATUS_CODE_ERROR\"}[1m]))\n"
    "- record: service:latency_seconds:p50\n"
    "  expr: histogram_quantile(0.5, " LATENCY "\n"
    "- record: service:latency_seconds:p90\n"
    "  expr: histogram_quantile(0.9, " LATENCY "\n"
    "- record: service:latency_seconds:p99\n"
    "  expr: histogram_quantile(0.99, " LATENCY "\n"
    "- record: host:cpus_used\n"
    "  expr: sum by (host) (rate(collectd_cpu_total{type!=\"idle\"}[1m])) / 100\n"
    "- record: host:received_bytes:rate\n"
    "  expr: sum by (host) (rate(collectd_interface_if_octets_rx_total{interface!=\"lo\"}[1m]))\n"
    "- record: host:sent_bytes:rate\n"
    "  expr: sum by (host) (rate(collectd_interface_if_octets_tx_total{interface!=\"lo\"}[1m]))\n"
    "- record: host:disk_read_bytes:rate\n"
    "  expr: sum by (host) (rate(collectd_disk_disk_octets_read_total[1m]))\n"
    "- record: host:disk_written_bytes:rate\n"
    "  expr: sum by (host) (rate(collectd_disk_disk_octets_write_total[1m]))\n"
    "- expr: collectd_memory\n"
    "- expr: collectd_load_shortterm\n"
    "- expr: collectd_df_df_complex\n";

enum { RECORD, EXPR, KEYS };
static const char *const keys[KEYS] = {"record", "expr"};

struct reading {
    struct yaml_lines yaml;
    struct archive_plan *plan;
};

static int no_memory(struct reading *r, const yaml_node_t *node)
{
    return yaml_lines_fail(&r->yaml, node, "some", "no memory");
}

static int read_expr(struct reading *r, const yaml_node_t *node, struct archive_rule *rule)
{
    struct promql_query *query;
    struct language_error e;
    const char *text = yaml_lines_text(&r->yaml, node, "expr");
    if (!text)
        return -1;
    if (promql_parse(&r->plan->arena, text, strlen(text), &query, &e) != LANGUAGE_SOUND) {
        snprintf(r->yaml.why, r->yaml.why_size, "%s:%zu: expr, line %u, column %u: %s",
                 r->yaml.file, node->start_mark.line + 1, e.line, e.column, e.message);
        return -1;
    }
    if (query->expr->type != PROMQL_VECTOR)
        return yaml_lines_fail(&r->yaml, node, "an instant vector", "an expr that is a %s",
                               promql_type_name(query->expr->type));
    rule->query = query;
    rule->expr = arena_copy(&r->plan->arena, text, strlen(text) + 1);
    return rule->expr ? 0 : no_memory(r, node);
}

static int read_record(struct reading *r, const yaml_node_t *node, struct archive_rule *rule)
{
    const char *text = yaml_lines_text(&r->yaml, node, "record");
    if (!text)
        return -1;
    struct batch_str s = {text, (uint32_t)strlen(text)};
    if (!promql_is_name(s) || s.length > LABEL_NAME_BYTES_MAX || strpbrk(text, "{}"))
        return yaml_lines_fail(&r->yaml, node, "a metric's name", "\"%.100s\" as record", text);
    rule->record = arena_copy(&r->plan->arena, text, s.length + 1U);
    return rule->record ? 0 : no_memory(r, node);
}

static int read_rule(struct reading *r, const yaml_node_t *node)
{
    yaml_node_t *f[KEYS];
    struct archive_rule *rule = &r->plan->rules[r->plan->count];
    if (yaml_lines_fields(&r->yaml, node, keys, KEYS, f) != 0)
        return -1;
    if (!f[EXPR])
        return yaml_lines_fail(&r->yaml, node, "\"expr\"", "a rule without expr");
    if (read_expr(r, f[EXPR], rule) != 0 || (f[RECORD] && read_record(r, f[RECORD], rule) != 0))
        return -1;
    rule->key = rule->record ? rule->record : rule->expr;
    for (size_t i = 0; i < r->plan->count; i++)
        if (strcmp(r->plan->rules[i].key, rule->key) == 0)
            return yaml_lines_fail(&r->yaml, node, "it once", "\"%.100s\" again", rule->key);
    r->plan->count++;
    return 0;
}

static int read_document(struct reading *r)
{
    static const char *const top[] = {"archive"};
    yaml_node_t *root = yaml_lines_root(&r->yaml), *list, *item;
    if (!root)
        return 0;
    if (yaml_lines_fields(&r->yaml, root, top, 1, &list) != 0)
        return -1;
    if (!list)
        return 0;
    if (!yaml_lines_is_list(list))
        return yaml_lines_fail(&r->yaml, list, "a list", "%s as archive", yaml_lines_kind(list));
    for (size_t i = 0; (item = yaml_lines_item(&r->yaml, list, i)); i++) {
        if (i == ARCHIVE_RULES_MOST)
            return yaml_lines_fail(&r->yaml, item, "at most 256", "more rules");
        if (read_rule(r, item) != 0)
            return -1;
    }
    return 0;
}

struct archive_plan *archive_plan_read(const char *file, const char *text, size_t length, char *why,
                                       size_t why_size)
{
    struct reading r = {.yaml = {.file = file, .why = why, .why_size = why_size},
                        .plan = calloc(1, sizeof *r.plan)};
    int result = -1;
    if (r.plan) {
        arena_init(&r.plan->arena, 16 << 10);
        r.plan->rules = arena_calloc(&r.plan->arena, ARCHIVE_RULES_MOST, sizeof *r.plan->rules);
    }
    if (!r.plan || !r.plan->rules) {
        snprintf(why, why_size, "%s:1: found no memory, expected some", file);
    } else if (yaml_lines_open(&r.yaml, text, length) == 0) {
        result = read_document(&r);
        yaml_lines_close(&r.yaml);
    }
    if (result != 0)
        archive_plan_destroy(&r.plan);
    return r.plan;
}

struct archive_plan *archive_plan_load(const char *option, char *why, size_t why_size)
{
    if (strcmp(option, "default") == 0)
        return archive_plan_read("default", built_in, sizeof built_in - 1, why, why_size);
    FILE *file = fopen(option, "re");
    char *text = file ? malloc(ARCHIVE_PLAN_BYTES_MAX + 1) : NULL;
    size_t length = text ? fread(text, 1, ARCHIVE_PLAN_BYTES_MAX + 1, file) : 0;
    struct archive_plan *plan = NULL;
    if (!text || ferror(file))
        snprintf(why, why_size, "archive: %s: %s", option, strerror(errno));
    else if (length > ARCHIVE_PLAN_BYTES_MAX)
        snprintf(why, why_size, "archive: %s: found more than 1 MiB, expected less", option);
    else
        plan = archive_plan_read(option, text, length, why, why_size);
    free(text);
    if (file)
        fclose(file);
    return plan;
}

void archive_plan_destroy(struct archive_plan **p)
{
    if (!*p)
        return;
    arena_fini(&(*p)->arena);
    free(*p);
    *p = NULL;
}

// SPDX-License-Identifier: Apache-2.0
/* Recording and alerting rules as their files say them (docs/rules.md): checked, and not changed
 * after that. Any number of threads may read a set. */
#ifndef WEFT_COLLECTOR_RULES_RULE_H
#define WEFT_COLLECTOR_RULES_RULE_H

#include <stdbool.h>

#include "collector/query/promql/parse.h"
#include "collector/rules/template.h"

enum { RULES_FILE_BYTES_MAX = 4 << 20, RULES_INTERVAL_MS = 60000 };

struct rule_text { /* a label or an annotation */
    struct batch_str name, value;
    const struct template *template; /* what the value says; NULL: of recording rules, itself */
};

struct rule {
    bool is_alert;
    const char *name; /* of the metric that is recorded, or of the alert */
    const char *expr;
    const struct promql_query *query;
    int64_t for_ms, keep_firing_ms;
    struct rule_text *labels, *annotations; /* the group's labels among them */
    uint32_t label_count, annotation_count;
};

struct rule_group {
    const char *file, *name;
    int64_t interval_ms, offset_ms; /* offset: how far back the rules look */
    uint32_t limit;                 /* of series, or alerts, that a rule may yield; 0: none */
    struct rule *rules;
    uint32_t rule_count;
};

struct rule_set {
    struct arena arena; /* holds all of it */
    struct rule_group *groups;
    uint32_t group_count, group_capacity;
};

/* Reads what the option says: files and directories (their *.yml and *.yaml, by name), with commas
 * between them; NULL: no rules. NULL with one sentence in `why`, "FILE:LINE: found …, expected …"
 * where a file is wrong. */
struct rule_set *rule_set_load(const char *paths, char *why, size_t why_size);
/* One file's text, for tests and fuzzing. 0; -1: the sentence. */
int rule_set_read(struct rule_set *set, const char *file, const char *text, size_t length,
                  char *why, size_t why_size);
struct rule_set *rule_set_create(void);
void rule_set_destroy(struct rule_set **set);

/* As Prometheus writes them: "1h30m", "15s", "250ms", "0". False: it is none. */
bool rule_parse_duration(const char *text, int64_t *ms);

#endif

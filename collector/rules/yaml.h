// SPDX-License-Identifier: Apache-2.0
/* A YAML document whose every complaint knows its line: what the reader of rules stands on.
 * One thread; functions that fail write "FILE:LINE: found …, expected …". */
#ifndef WEFT_COLLECTOR_RULES_YAML_H
#define WEFT_COLLECTOR_RULES_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

struct rules_yaml {
    yaml_document_t document;
    const char *file;
    char *why;
    size_t why_size;
};

/* 0, then wants rules_yaml_close; -1: not YAML, or more than one document. */
int rules_yaml_open(struct rules_yaml *y, const char *text, size_t length);
void rules_yaml_close(struct rules_yaml *y);
/* NULL: the document is empty. */
yaml_node_t *rules_yaml_root(struct rules_yaml *y);

/* -1, always. `found` may have formats, and names no values longer than some hundred bytes. */
int rules_yaml_fail(struct rules_yaml *y, const yaml_node_t *node, const char *expected,
                    const char *found, ...) __attribute__((format(printf, 4, 5)));

/* A mapping's values by key: values[i] is that of keys[i], NULL where it is absent or null. An
 * unknown key, and one that stands twice, are errors. */
int rules_yaml_fields(struct rules_yaml *y, const yaml_node_t *mapping, const char *const *keys,
                      size_t count, yaml_node_t **values);
/* A single value without NULs inside; else NULL. `what` names it. */
const char *rules_yaml_text(struct rules_yaml *y, const yaml_node_t *node, const char *what);
/* Items of a list: node i, from 0; NULL behind the last. `list` is a list. */
yaml_node_t *rules_yaml_item(struct rules_yaml *y, const yaml_node_t *list, size_t i);
bool rules_yaml_is_list(const yaml_node_t *node);
/* The pair i of a mapping; false behind the last. */
bool rules_yaml_pair(struct rules_yaml *y, const yaml_node_t *mapping, size_t i, yaml_node_t **key,
                     yaml_node_t **value);
const char *rules_yaml_kind(const yaml_node_t *node);

#endif

// SPDX-License-Identifier: Apache-2.0
/* A YAML document whose every complaint knows its line: what readers of rules stand on.
 * One thread; functions that fail write "FILE:LINE: found …, expected …". */
#ifndef WEFT_BASE_YAML_LINES_H
#define WEFT_BASE_YAML_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

struct yaml_lines {
    yaml_document_t document;
    const char *file;
    char *why;
    size_t why_size;
};

/* 0, then wants yaml_lines_close; -1: not YAML, or more than one document. */
int yaml_lines_open(struct yaml_lines *y, const char *text, size_t length);
void yaml_lines_close(struct yaml_lines *y);
/* NULL: the document is empty. */
yaml_node_t *yaml_lines_root(struct yaml_lines *y);

/* -1, always. `found` may have formats, and names no values longer than some hundred bytes. */
int yaml_lines_fail(struct yaml_lines *y, const yaml_node_t *node, const char *expected,
                    const char *found, ...) __attribute__((format(printf, 4, 5)));

/* A mapping's values by key: values[i] is that of keys[i], NULL where it is absent or null. An
 * unknown key, and one that stands twice, are errors. */
int yaml_lines_fields(struct yaml_lines *y, const yaml_node_t *mapping, const char *const *keys,
                      size_t count, yaml_node_t **values);
/* A single value without NULs inside; else NULL. `what` names it. */
const char *yaml_lines_text(struct yaml_lines *y, const yaml_node_t *node, const char *what);
/* Items of a list: node i, from 0; NULL behind the last. `list` is a list. */
yaml_node_t *yaml_lines_item(struct yaml_lines *y, const yaml_node_t *list, size_t i);
bool yaml_lines_is_list(const yaml_node_t *node);
/* The pair i of a mapping; false behind the last. */
bool yaml_lines_pair(struct yaml_lines *y, const yaml_node_t *mapping, size_t i, yaml_node_t **key,
                     yaml_node_t **value);
const char *yaml_lines_kind(const yaml_node_t *node);

#endif

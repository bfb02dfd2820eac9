// SPDX-License-Identifier: Apache-2.0
#include "lib/base/yaml_lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int fail_at(struct yaml_lines *y, size_t line, const char *expected, const char *found)
{
    snprintf(y->why, y->why_size, "%s:%zu: found %s, expected %s", y->file, line, found, expected);
    return -1;
}

int yaml_lines_fail(struct yaml_lines *y, const yaml_node_t *node, const char *expected,
                    const char *found, ...)
{
    char text[400];
    va_list args;
    va_start(args, found);
    vsnprintf(text, sizeof text, found, args);
    va_end(args);
    return fail_at(y, node ? node->start_mark.line + 1 : 1, expected, text);
}

/* Whether the parser has another document. */
static bool has_more(yaml_parser_t *parser)
{
    yaml_document_t next;
    if (!yaml_parser_load(parser, &next))
        return true;
    bool more = yaml_document_get_root_node(&next) != NULL;
    yaml_document_delete(&next);
    return more;
}

int yaml_lines_open(struct yaml_lines *y, const char *text, size_t length)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return fail_at(y, 1, "some", "no memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    int result = 0;
    if (!yaml_parser_load(&parser, &y->document)) {
        result = fail_at(y, parser.problem_mark.line + 1, "YAML",
                         parser.problem ? parser.problem : "an unreadable file");
    } else if (yaml_document_get_root_node(&y->document) && has_more(&parser)) {
        size_t line = parser.problem ? parser.problem_mark.line : parser.mark.line;
        result = fail_at(y, line + 1, "one", parser.problem ? parser.problem : "a second document");
        yaml_document_delete(&y->document);
    }
    yaml_parser_delete(&parser);
    return result;
}

void yaml_lines_close(struct yaml_lines *y)
{
    yaml_document_delete(&y->document);
}

yaml_node_t *yaml_lines_root(struct yaml_lines *y)
{
    return yaml_document_get_root_node(&y->document);
}

static bool is_null(const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    const char *text = (const char *)node->data.scalar.value;
    return *text == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0;
}

const char *yaml_lines_kind(const yaml_node_t *node)
{
    switch (node->type) {
    case YAML_SEQUENCE_NODE:
        return "a list";
    case YAML_MAPPING_NODE:
        return "a mapping";
    default:
        return is_null(node) ? "nothing" : "a single value";
    }
}

bool yaml_lines_is_list(const yaml_node_t *node)
{
    return node->type == YAML_SEQUENCE_NODE;
}

yaml_node_t *yaml_lines_item(struct yaml_lines *y, const yaml_node_t *list, size_t i)
{
    const yaml_node_item_t *first = list->data.sequence.items.start;
    if (i >= (size_t)(list->data.sequence.items.top - first))
        return NULL;
    return yaml_document_get_node(&y->document, first[i]);
}

bool yaml_lines_pair(struct yaml_lines *y, const yaml_node_t *mapping, size_t i, yaml_node_t **key,
                     yaml_node_t **value)
{
    const yaml_node_pair_t *first = mapping->data.mapping.pairs.start;
    if (i >= (size_t)(mapping->data.mapping.pairs.top - first))
        return false;
    *key = yaml_document_get_node(&y->document, first[i].key);
    *value = yaml_document_get_node(&y->document, first[i].value);
    return true;
}

const char *yaml_lines_text(struct yaml_lines *y, const yaml_node_t *node, const char *what)
{
    if (node->type != YAML_SCALAR_NODE) {
        yaml_lines_fail(y, node, "a single value", "%s as %s", yaml_lines_kind(node), what);
        return NULL;
    }
    const char *text = (const char *)node->data.scalar.value;
    if (strlen(text) == node->data.scalar.length)
        return text;
    yaml_lines_fail(y, node, "text", "a NUL in %s", what);
    return NULL;
}

static void list_keys(const char *const *keys, size_t count, char *out, size_t size)
{
    size_t length = (size_t)snprintf(out, size, "one of");
    for (size_t i = 0; i < count && length < size; i++)
        length += (size_t)snprintf(out + length, size - length, "%s %s", i ? "," : "", keys[i]);
}

int yaml_lines_fields(struct yaml_lines *y, const yaml_node_t *mapping, const char *const *keys,
                      size_t count, yaml_node_t **values)
{
    char known[256];
    yaml_node_t *key, *value;
    memset(values, 0, count * sizeof *values);
    list_keys(keys, count, known, sizeof known);
    if (mapping->type != YAML_MAPPING_NODE)
        return yaml_lines_fail(y, mapping, known, "%s", yaml_lines_kind(mapping));
    bool seen[16] = {false};
    for (size_t i = 0; yaml_lines_pair(y, mapping, i, &key, &value); i++) {
        const char *name = yaml_lines_text(y, key, "a key");
        size_t k = 0;
        while (name && k < count && strcmp(keys[k], name) != 0)
            k++;
        if (!name)
            return -1;
        if (k == count)
            return yaml_lines_fail(y, key, known, "unknown key \"%.100s\"", name);
        if (seen[k])
            return yaml_lines_fail(y, key, "it once", "\"%s\" again", name);
        seen[k] = true;
        values[k] = is_null(value) ? NULL : value;
    }
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* The file: a flat YAML mapping, read by libyaml's events so that every complaint knows its
 * line. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "lib/base/config.h"

struct reading {
    const struct config_program *program;
    const char *path;
    void *values;
    char *why;
    size_t why_size;
    yaml_parser_t parser;
    unsigned *seen_lines; /* of each option; 0: not yet */
};

static unsigned line_of(const yaml_event_t *event)
{
    return (unsigned)event->start_mark.line + 1;
}

static int fail(struct reading *r, unsigned line, const char *found, const char *expected)
{
    snprintf(r->why, r->why_size, "%s:%u: found %s, expected %s", r->path, line, found, expected);
    return -1;
}

static int next_event(struct reading *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event))
        return 0;
    return fail(r, (unsigned)r->parser.problem_mark.line + 1,
                r->parser.problem ? r->parser.problem : "an unreadable file", "YAML");
}

static const char *event_text(const yaml_event_t *event)
{
    return (const char *)event->data.scalar.value;
}

static const char *event_name(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return "a single value";
    case YAML_SEQUENCE_START_EVENT:
        return "a list";
    case YAML_MAPPING_START_EVENT:
        return "a nested mapping";
    case YAML_ALIAS_EVENT:
        return "an alias";
    default:
        return "the end";
    }
}

/* The option that the key names, or NULL with the complaint written. */
static const struct config_option *option_of_key(struct reading *r, const yaml_event_t *key)
{
    const char *nearest = NULL;
    char found[160], expected[160];
    const struct config_option *option = config_find(r->program, event_text(key), &nearest);
    if (!option) {
        snprintf(found, sizeof found, "unknown option \"%s\"", event_text(key));
        snprintf(expected, sizeof expected, nearest ? "\"%s\"?" : "one of those in --help%s",
                 nearest ? nearest : "");
        fail(r, line_of(key), found, expected);
        return NULL;
    }
    unsigned *seen = &r->seen_lines[option - r->program->options];
    if (*seen) {
        snprintf(found, sizeof found, "\"%s\" again", option->name);
        snprintf(expected, sizeof expected, "it once (line %u has it)", *seen);
        fail(r, line_of(key), found, expected);
        return NULL;
    }
    *seen = line_of(key);
    return option;
}

static int read_value(struct reading *r, const struct config_option *option)
{
    yaml_event_t value;
    char where[512];
    if (next_event(r, &value) < 0)
        return -1;
    int result;
    if (value.type != YAML_SCALAR_EVENT) {
        result =
            fail(r, line_of(&value), event_name(&value), config_type_expectation(option->type));
    } else {
        snprintf(where, sizeof where, "%s:%u: %s", r->path, line_of(&value), option->name);
        result = config_set(r->program, option, event_text(&value), where, r->values, r->why,
                            r->why_size);
    }
    yaml_event_delete(&value);
    return result;
}

/* Keys and values up to the mapping's end. */
static int read_mapping(struct reading *r)
{
    for (;;) {
        yaml_event_t key;
        if (next_event(r, &key) < 0)
            return -1;
        bool end = key.type == YAML_MAPPING_END_EVENT;
        const struct config_option *option = NULL;
        if (key.type == YAML_SCALAR_EVENT)
            option = option_of_key(r, &key);
        else if (!end)
            fail(r, line_of(&key), event_name(&key), "an option's name");
        yaml_event_delete(&key);
        if (end)
            return 0;
        if (!option || read_value(r, option) < 0)
            return -1;
    }
}

/* The events around the mapping; an empty file (or one of comments) is a valid one. */
static int read_stream(struct reading *r)
{
    bool mapping_seen = false;
    for (;;) {
        yaml_event_t event;
        if (next_event(r, &event) < 0)
            return -1;
        yaml_event_type_t type = event.type;
        int result = 0;
        bool nothing = type == YAML_SCALAR_EVENT && *event_text(&event) == '\0';
        if (type == YAML_MAPPING_START_EVENT && !mapping_seen) {
            mapping_seen = true;
            result = read_mapping(r);
        } else if (type == YAML_DOCUMENT_START_EVENT && mapping_seen) {
            result = fail(r, line_of(&event), "a second document", "one");
        } else if (type == YAML_SCALAR_EVENT || type == YAML_SEQUENCE_START_EVENT ||
                   type == YAML_ALIAS_EVENT) {
            result =
                nothing ? 0 : fail(r, line_of(&event), event_name(&event), "\"option: value\"");
        }
        yaml_event_delete(&event);
        if (result < 0 || type == YAML_STREAM_END_EVENT)
            return result;
    }
}

int config_file(const struct config_program *program, const char *path, void *values, char *why,
                size_t why_size)
{
    struct reading r = {
        .program = program, .path = path, .values = values, .why = why, .why_size = why_size};
    FILE *file = fopen(path, "re");
    if (!file) {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        return -1;
    }
    int result = -1;
    r.seen_lines = calloc(program->option_count + 1, sizeof *r.seen_lines);
    if (!r.seen_lines || !yaml_parser_initialize(&r.parser)) {
        snprintf(why, why_size, "%s: no memory", path);
    } else {
        yaml_parser_set_input_file(&r.parser, file);
        result = read_stream(&r);
        yaml_parser_delete(&r.parser);
    }
    free(r.seen_lines);
    fclose(file);
    return result;
}

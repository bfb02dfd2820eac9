// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/rules.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buffer.h"
#include "lib/base/yaml_lines.h"

enum { TEXT_MAX = 255, FILE_MAX = 1 << 20 };

enum field { EXECUTABLE, UNIT, PORT, SERVICE, CELL, VERSION, FIELDS };
static const char *const keys[FIELDS] = {"executable", "unit", "port",
                                         "service",    "cell", "version"};

/* ---- reading ----------------------------------------------------------------------------- */

static int read_text(struct yaml_lines *y, const yaml_node_t *node, enum field field, char **out)
{
    if (!node)
        return 0;
    const char *text = yaml_lines_text(y, node, keys[field]);
    if (!text)
        return -1;
    if (!*text || strlen(text) > TEXT_MAX)
        return yaml_lines_fail(y, node, "1 to 255 bytes of text", "%zu bytes as %s", strlen(text),
                               keys[field]);
    *out = strdup(text);
    return *out ? 0 : yaml_lines_fail(y, node, "some", "no memory");
}

static int read_port(struct yaml_lines *y, const yaml_node_t *node, uint16_t *out)
{
    char *end;
    const char *text = node ? yaml_lines_text(y, node, keys[PORT]) : "";
    if (!node || !text)
        return node ? -1 : 0;
    unsigned long port = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || port == 0 || port > UINT16_MAX)
        return yaml_lines_fail(y, node, "a port from 1 to 65535", "\"%.40s\"", text);
    *out = (uint16_t)port;
    return 0;
}

static bool has_wildcard(const char *pattern)
{
    return strpbrk(pattern, "*?[\\") != NULL;
}

/* "/usr/bin/redis-server" is redis-server, "memcached.service" memcached. */
static char *service_by_itself(const struct watch_rule *rule)
{
    const char *text = rule->executable ? rule->executable : rule->unit;
    if (!text || has_wildcard(text))
        return NULL;
    const char *slash = strrchr(text, '/');
    text = slash ? slash + 1 : text;
    const char *dot = rule->executable ? NULL : strrchr(text, '.');
    return *text ? strndup(text, dot ? (size_t)(dot - text) : strlen(text)) : NULL;
}

static int complete(struct yaml_lines *y, const yaml_node_t *node, struct watch_rule *rule)
{
    if (!rule->executable && !rule->unit && !rule->port)
        return yaml_lines_fail(y, node, "one of executable, unit, port",
                               "a rule that fits every process");
    if (!rule->service)
        rule->service = service_by_itself(rule);
    if (!rule->service)
        return yaml_lines_fail(y, node, "service: NAME",
                               "a rule without a service, and no name to take it from");
    if (rule->executable && strchr(rule->executable, '/') && !has_wildcard(rule->executable))
        rule->resolved = realpath(rule->executable, NULL);
    return 0;
}

static int read_rule(struct yaml_lines *y, const yaml_node_t *node, struct watch_rule *rule)
{
    yaml_node_t *values[FIELDS];
    if (yaml_lines_fields(y, node, keys, FIELDS, values) != 0 ||
        read_text(y, values[EXECUTABLE], EXECUTABLE, &rule->executable) != 0 ||
        read_text(y, values[UNIT], UNIT, &rule->unit) != 0 ||
        read_port(y, values[PORT], &rule->port) != 0 ||
        read_text(y, values[SERVICE], SERVICE, &rule->service) != 0 ||
        read_text(y, values[CELL], CELL, &rule->cell) != 0 ||
        read_text(y, values[VERSION], VERSION, &rule->version) != 0)
        return -1;
    return complete(y, node, rule);
}

static int read_list(struct yaml_lines *y, struct watch_rules *r)
{
    const yaml_node_t *root = yaml_lines_root(y), *node;
    if (!root)
        return 0; /* no rules are rules, too */
    if (!yaml_lines_is_list(root))
        return yaml_lines_fail(y, root, "a list of rules", "%s", yaml_lines_kind(root));
    r->list = calloc(WATCH_RULES_MAX, sizeof *r->list);
    if (!r->list)
        return yaml_lines_fail(y, root, "some", "no memory");
    for (size_t i = 0; (node = yaml_lines_item(y, root, i)); i++) {
        if (i == WATCH_RULES_MAX)
            return yaml_lines_fail(y, node, "at most 1000", "another rule");
        struct watch_rule *rule = &r->list[r->count++];
        if (read_rule(y, node, rule) != 0)
            return -1;
        r->ask_executable |= rule->executable != NULL;
        r->ask_unit |= rule->unit != NULL;
        r->ask_port |= rule->port != 0;
    }
    return 0;
}

int watch_rules_read(struct watch_rules *r, const char *file, const char *text, size_t length,
                     char *why, size_t why_size)
{
    struct yaml_lines y = {.file = file, .why = why, .why_size = why_size};
    *r = (struct watch_rules){0};
    if (yaml_lines_open(&y, text, length) != 0)
        return -1;
    int result = read_list(&y, r);
    yaml_lines_close(&y);
    if (result != 0)
        watch_rules_fini(r);
    return result;
}

int watch_rules_load(struct watch_rules *r, const char *path, char *why, size_t why_size)
{
    struct buffer text = {0};
    FILE *file = fopen(path, "re");
    if (!file) {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        return -1;
    }
    char *to = buffer_reserve(&text, FILE_MAX);
    size_t n = to ? fread(to, 1, FILE_MAX, file) : 0;
    bool bad = ferror(file) || !to;
    int error = errno;
    fclose(file);
    int result = -1;
    if (bad || n == FILE_MAX)
        snprintf(why, why_size, "%s: %s", path, bad ? strerror(error) : "longer than 1M");
    else
        result = watch_rules_read(r, path, to, n, why, why_size);
    buffer_fini(&text);
    return result;
}

void watch_rules_fini(struct watch_rules *r)
{
    for (size_t i = 0; i < r->count; i++) {
        struct watch_rule *rule = &r->list[i];
        char *texts[] = {rule->executable, rule->resolved, rule->unit,
                         rule->service,    rule->version,  rule->cell};
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            free(texts[k]);
    }
    free(r->list);
    *r = (struct watch_rules){0};
}

/* ---- matching ---------------------------------------------------------------------------- */

/* By its name a program is known as the kernel has it, or as the process calls itself: a link to it
 * may have another name. */
static bool fits_executable(const struct watch_rule *rule, const struct watch_subject *s)
{
    if (strchr(rule->executable, '/'))
        return (*s->executable && fnmatch(rule->executable, s->executable, FNM_PATHNAME) == 0) ||
               (rule->resolved && strcmp(rule->resolved, s->executable) == 0);
    const char *slash = strrchr(s->executable, '/');
    return (slash && fnmatch(rule->executable, slash + 1, 0) == 0) ||
           (*s->name && fnmatch(rule->executable, s->name, 0) == 0);
}

static bool listens(const struct watch_subject *s, uint16_t port)
{
    for (size_t i = 0; i < s->port_count; i++)
        if (s->ports[i] == port)
            return true;
    return false;
}

int watch_rules_match(const struct watch_rules *r, const struct watch_subject *s)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct watch_rule *rule = &r->list[i];
        if ((!rule->executable || fits_executable(rule, s)) &&
            (!rule->unit || (*s->unit && fnmatch(rule->unit, s->unit, 0) == 0)) &&
            (!rule->port || listens(s, rule->port)))
            return (int)i;
    }
    return -1;
}

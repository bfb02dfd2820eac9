// SPDX-License-Identifier: Apache-2.0
/* Values and the command line; the file is read in config_file.c, help and man page are
 * printed in config_print.c. */
#include "lib/base/config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/units.h"

const char *config_type_expectation(enum config_type type)
{
    switch (type) {
    case CONFIG_STRING:
        return "text";
    case CONFIG_URL:
        return "an address that begins with http:// or https://";
    case CONFIG_BOOL:
        return "true or false";
    case CONFIG_BYTES:
        return "a size such as 512M";
    case CONFIG_DURATION:
        return "a duration such as 10ms";
    case CONFIG_INTEGER:
        return "a whole number";
    }
    return "?";
}

/* ---- names ------------------------------------------------------------------------------- */

static char fold(char c)
{
    return c == '_' ? '-' : c;
}

static bool same_name(const char *a, const char *b)
{
    while (*a && fold(*a) == fold(*b))
        a++, b++;
    return *a == *b;
}

/* Levenshtein's distance; names longer than the row are no near ones. */
static size_t distance(const char *a, const char *b)
{
    enum { LONGEST = 63 };
    size_t row[LONGEST + 1], a_length = strlen(a), b_length = strlen(b);
    if (a_length > LONGEST || b_length > LONGEST)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t change = diagonal + (fold(a[i - 1]) != fold(b[j - 1]));
            size_t insert = row[j - 1] + 1, drop = row[j] + 1;
            diagonal = row[j];
            row[j] = change < insert ? change : insert;
            row[j] = row[j] < drop ? row[j] : drop;
        }
    }
    return row[b_length];
}

const struct config_option *config_find(const struct config_program *program, const char *name,
                                        const char **nearest)
{
    size_t best = strlen(name) / 3 + 1; /* farther than that is another word */
    const char *likely = NULL;
    for (size_t i = 0; i < program->option_count; i++) {
        const struct config_option *option = &program->options[i];
        if (same_name(option->name, name))
            return option;
        size_t d = distance(option->name, name);
        if (d <= best) {
            best = d;
            likely = option->name;
        }
    }
    if (nearest)
        *nearest = likely;
    return NULL;
}

/* ---- values ------------------------------------------------------------------------------ */

static bool parse_bool(const char *text, bool *value)
{
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *value = strcasecmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

static bool parse_integer(const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno || end == text || *end || strchr(" \t\n\v\f\r", *text))
        return false;
    *value = number;
    return true;
}

static bool is_url(const char *text)
{
    size_t scheme = strncasecmp(text, "http://", 7) == 0    ? 7
                    : strncasecmp(text, "https://", 8) == 0 ? 8
                                                            : 0;
    if (scheme == 0 || text[scheme] == '\0' || strchr("/?#", text[scheme]))
        return false;
    for (; *text; text++) {
        if ((unsigned char)*text <= ' ' || *text == 0x7f)
            return false;
    }
    return true;
}

static bool in_limits(const struct config_option *option, uint64_t value)
{
    return (option->min == 0 && option->max == 0) ||
           (value >= (uint64_t)option->min && value <= (uint64_t)option->max);
}

static void print_limit(enum config_type type, int64_t limit, char text[UNITS_TEXT_MAX])
{
    if (type == CONFIG_BYTES)
        units_print_bytes((uint64_t)limit, text);
    else if (type == CONFIG_DURATION)
        units_print_duration((uint64_t)limit, text);
    else
        snprintf(text, UNITS_TEXT_MAX, "%lld", (long long)limit);
}

static int complain(const struct config_option *option, const char *text, const char *where,
                    bool limits, char *why, size_t why_size)
{
    char min[UNITS_TEXT_MAX], max[UNITS_TEXT_MAX];
    if (!limits) {
        snprintf(why, why_size, "%s: found \"%s\", expected %s", where, text,
                 config_type_expectation(option->type));
        return -1;
    }
    print_limit(option->type, option->min, min);
    print_limit(option->type, option->max, max);
    snprintf(why, why_size, "%s: found \"%s\", expected something from %s to %s", where, text, min,
             max);
    return -1;
}

static int set_string(char **field, const char *text, const char *where, char *why, size_t why_size)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy) {
        snprintf(why, why_size, "%s: no memory", where);
        return -1;
    }
    free(*field);
    *field = copy;
    return 0;
}

int config_set(const struct config_program *program, const struct config_option *option,
               const char *text, const char *where, void *values, char *why, size_t why_size)
{
    (void)program;
    void *field = (char *)values + option->offset;
    uint64_t number = 0;
    int64_t integer = 0;
    bool parsed = false, fits = true;
    switch (option->type) {
    case CONFIG_STRING:
        return set_string(field, text, where, why, why_size);
    case CONFIG_URL:
        if (!text || is_url(text))
            return set_string(field, text, where, why, why_size);
        break;
    case CONFIG_BOOL:
        parsed = parse_bool(text, field);
        break;
    case CONFIG_BYTES:
        parsed = units_parse_bytes(text, &number);
        break;
    case CONFIG_DURATION:
        parsed = units_parse_duration(text, &number);
        break;
    case CONFIG_INTEGER:
        parsed = parse_integer(text, &integer);
        fits = (option->min == 0 && option->max == 0) ||
               (integer >= option->min && integer <= option->max);
        break;
    }
    if (option->type == CONFIG_BYTES || option->type == CONFIG_DURATION)
        fits = in_limits(option, number);
    if (!parsed || !fits)
        return complain(option, text, where, parsed, why, why_size);
    if (option->type == CONFIG_BYTES || option->type == CONFIG_DURATION)
        memcpy(field, &number, sizeof number);
    else if (option->type == CONFIG_INTEGER)
        memcpy(field, &integer, sizeof integer);
    return 0;
}

static bool is_text(enum config_type type)
{
    return type == CONFIG_STRING || type == CONFIG_URL;
}

int config_defaults(const struct config_program *program, void *values, char *why, size_t why_size)
{
    for (size_t i = 0; i < program->option_count; i++) {
        const struct config_option *option = &program->options[i];
        const char *text = option->default_text;
        if (!text && !is_text(option->type))
            text = option->type == CONFIG_BOOL ? "false" : "0";
        if (config_set(program, option, text, option->name, values, why, why_size) < 0)
            return -1;
    }
    return 0;
}

void config_clear(const struct config_program *program, void *values)
{
    for (size_t i = 0; i < program->option_count; i++) {
        if (!is_text(program->options[i].type))
            continue;
        char **field = (char **)(void *)((char *)values + program->options[i].offset);
        free(*field);
        *field = NULL;
    }
}

/* ---- command line ------------------------------------------------------------------------ */

/* One "--name", "--name value" or "--name=value". */
struct argument {
    char name[64];
    const char *value; /* NULL: none was given with it */
};

static int split_argument(const char *text, struct argument *argument, char *why, size_t why_size)
{
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : strlen(text);
    if (strncmp(text, "--", 2) != 0 || length < 3 || length - 2 >= sizeof argument->name) {
        snprintf(why, why_size, "found \"%s\", expected an option (see --help)", text);
        return -1;
    }
    memcpy(argument->name, text + 2, length - 2);
    argument->name[length - 2] = '\0';
    argument->value = equals ? equals + 1 : NULL;
    return 0;
}

/* Takes the following argument as the value where the option needs one. */
static int take_value(struct argument *argument, int argc, char *const *argv, int *i, char *why,
                      size_t why_size, const char *expected)
{
    if (argument->value)
        return 0;
    if (*i + 1 >= argc) {
        snprintf(why, why_size, "--%s: found nothing behind it, expected %s", argument->name,
                 expected);
        return -1;
    }
    argument->value = argv[++*i];
    return 0;
}

static int set_from_argument(const struct config_program *program, struct argument *argument,
                             int argc, char *const *argv, int *i, void *values, char *why,
                             size_t why_size)
{
    const char *nearest = NULL;
    const struct config_option *option = config_find(program, argument->name, &nearest);
    if (!option) {
        if (nearest)
            snprintf(why, why_size, "found unknown option \"--%s\", expected \"--%s\"?",
                     argument->name, nearest);
        else
            snprintf(why, why_size, "found unknown option \"--%s\", expected one of --help",
                     argument->name);
        return -1;
    }
    if (option->type == CONFIG_BOOL && !argument->value)
        argument->value = "true";
    if (take_value(argument, argc, argv, i, why, why_size, config_type_expectation(option->type)))
        return -1;
    char where[sizeof argument->name + 2];
    snprintf(where, sizeof where, "--%s", argument->name);
    return config_set(program, option, argument->value, where, values, why, why_size);
}

/* Walks the command line twice: first for --config and what prints and ends, then (values not
 * NULL) for the options, which win over the file. */
static enum config_result walk_arguments(const struct config_program *program, int argc,
                                         char *const *argv, const char **file, void *values,
                                         char *why, size_t why_size)
{
    for (int i = 1; i < argc; i++) {
        struct argument argument;
        if (split_argument(argv[i], &argument, why, why_size) < 0)
            return CONFIG_ERROR;
        if (strcmp(argument.name, "config") == 0) {
            if (take_value(&argument, argc, argv, &i, why, why_size, "a file") < 0)
                return CONFIG_ERROR;
            *file = argument.value;
        } else if (strcmp(argument.name, "help") == 0) {
            config_print_help(program, stdout);
            return CONFIG_EXIT;
        } else if (strcmp(argument.name, "version") == 0) {
            printf("%s %s\n", program->name, program->version);
            return CONFIG_EXIT;
        } else if (strcmp(argument.name, "man") == 0) {
            config_print_man(program, stdout);
            return CONFIG_EXIT;
        } else if (values) {
            if (set_from_argument(program, &argument, argc, argv, &i, values, why, why_size) < 0)
                return CONFIG_ERROR;
        } else {
            const struct config_option *option = config_find(program, argument.name, NULL);
            bool takes_next = option && option->type != CONFIG_BOOL && !argument.value;
            i += takes_next ? 1 : 0;
        }
    }
    return CONFIG_READY;
}

static enum config_result load(const struct config_program *program, int argc, char *const *argv,
                               void *values, char *why, size_t why_size)
{
    const char *file = NULL;
    enum config_result result = walk_arguments(program, argc, argv, &file, NULL, why, why_size);
    if (result != CONFIG_READY)
        return result;
    if (config_defaults(program, values, why, why_size) < 0)
        return CONFIG_ERROR;
    if (!file && program->default_file && access(program->default_file, F_OK) == 0)
        file = program->default_file;
    if (file && config_file(program, file, values, why, why_size) < 0)
        return CONFIG_ERROR;
    return walk_arguments(program, argc, argv, &file, values, why, why_size);
}

enum config_result config_load(const struct config_program *program, int argc, char *const *argv,
                               void *values, char *why, size_t why_size)
{
    enum config_result result = load(program, argc, argv, values, why, why_size);
    if (result != CONFIG_READY)
        config_clear(program, values);
    return result;
}

// SPDX-License-Identifier: Apache-2.0
/* The example configurations that are installed: they parse, know every option, and say what its
 * default is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/tap/config.h"
#include "collector/config.h"

struct example {
    const struct config_program *program;
    const char *path;
};

static struct example agent = {&agent_program, EXAMPLES "/agent.yaml"};
static struct example tap = {&tap_program, EXAMPLES "/tap.yaml"};
static struct example collector = {&collector_program, EXAMPLES "/collector.yaml"};

static union {
    struct agent_config agent;
    struct tap_config tap;
    struct collector_config collector;
} values;

/* "#option: value", as opposed to prose. */
static bool is_option(const char *line)
{
    const char *p = line + 1;
    while (islower((unsigned char)*p) || *p == '-')
        p++;
    return line[0] == '#' && p > line + 1 && p[0] == ':' && p[1] == ' ';
}

/* The value in the example's line of the option, or NULL. */
static const char *value_of(const struct example *e, const char *option, char *line, size_t size)
{
    FILE *file = fopen(e->path, "r");
    const char *value = NULL;
    size_t length = strlen(option);
    assert_non_null(file);
    while (!value && fgets(line, (int)size, file))
        if (is_option(line) && strncmp(line + 1, option, length) == 0 && line[1 + length] == ':')
            value = line + 1 + length + 2;
    fclose(file);
    if (value)
        line[strcspn(line, "\n")] = '\0';
    return value;
}

static void parse(const struct example *e, const char *path)
{
    char why[512] = "";
    memset(&values, 0, sizeof values);
    if (config_defaults(e->program, &values, why, sizeof why) != 0 ||
        config_file(e->program, path, &values, why, sizeof why) != 0)
        fail_msg("%s", why);
    config_clear(e->program, &values);
}

static void it_parses_as_it_is_installed(void **state)
{
    const struct example *e = *state;
    parse(e, e->path);
}

static void it_parses_with_every_option_taken(void **state)
{
    const struct example *e = *state;
    char path[] = "/tmp/weft-example-XXXXXX", line[512];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *from = fopen(e->path, "r"), *to = fdopen(fd, "w");
    assert_non_null(from);
    while (fgets(line, sizeof line, from))
        fputs(is_option(line) ? line + 1 : line, to);
    fclose(from);
    fclose(to);
    parse(e, path);
    unlink(path);
}

static void it_has_every_option_with_its_default(void **state)
{
    const struct example *e = *state;
    char line[512];
    for (size_t i = 0; i < e->program->option_count; i++) {
        const struct config_option *option = &e->program->options[i];
        if (strcmp(option->name, "check-config") == 0)
            continue; /* for the command line alone */
        const char *value = value_of(e, option->name, line, sizeof line);
        if (!value)
            fail_msg("%s does not have %s", e->path, option->name);
        if (option->default_text)
            assert_string_equal(value, option->default_text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(it_parses_as_it_is_installed, &agent),
        cmocka_unit_test_prestate(it_parses_with_every_option_taken, &agent),
        cmocka_unit_test_prestate(it_has_every_option_with_its_default, &agent),
        cmocka_unit_test_prestate(it_parses_as_it_is_installed, &tap),
        cmocka_unit_test_prestate(it_parses_with_every_option_taken, &tap),
        cmocka_unit_test_prestate(it_has_every_option_with_its_default, &tap),
        cmocka_unit_test_prestate(it_parses_as_it_is_installed, &collector),
        cmocka_unit_test_prestate(it_parses_with_every_option_taken, &collector),
        cmocka_unit_test_prestate(it_has_every_option_with_its_default, &collector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

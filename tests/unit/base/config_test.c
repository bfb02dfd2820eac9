// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/config.h"

struct values {
    char *spool_dir, *key_file, *logs;
    uint64_t spool_limit, sweep;
    int64_t workers;
    bool tap;
};

static const struct config_option options[] = {
    {"spool-dir", CONFIG_STRING, "/var/spool", offsetof(struct values, spool_dir), .help = "where"},
    {"key-file", CONFIG_STRING, NULL, offsetof(struct values, key_file), .help = "the key"},
    {"logs", CONFIG_URL, NULL, offsetof(struct values, logs), .help = "where logs are"},
    {"spool-limit", CONFIG_BYTES, "1G", offsetof(struct values, spool_limit), .min = 1 << 20,
     .max = 1ll << 40, .help = "how much"},
    {"sweep", CONFIG_DURATION, "10ms", offsetof(struct values, sweep), .help = "how often"},
    {"workers", CONFIG_INTEGER, "2", offsetof(struct values, workers), .min = -1, .max = 64,
     .help = "how many"},
    {"tap", CONFIG_BOOL, "false", offsetof(struct values, tap), .help = "whether to listen"},
};

static const struct config_program program = {
    .name = "weft-test",
    .version = "0.1.0",
    .summary = "tests the table",
    .description = "First.\n\n.Second \\ paragraph.",
    .options = options,
    .option_count = sizeof options / sizeof *options,
};

static char file_path[] = "/tmp/weft-config-XXXXXX";
static char why[512];
static struct values values;

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(file_path);
    return fd < 0 || close(fd);
}

static int drop_file(void **state)
{
    (void)state;
    return unlink(file_path);
}

static int clear_values(void **state)
{
    (void)state;
    config_clear(&program, &values);
    memset(&values, 0, sizeof values);
    why[0] = '\0';
    return 0;
}

static enum config_result load_file(const char *text)
{
    FILE *file = fopen(file_path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    const char *argv[] = {"weft-test", "--config", file_path};
    return config_load(&program, 3, (char *const *)argv, &values, why, sizeof why);
}

#define LOAD_ARGS(...)                                                                             \
    load_args((const char *[]){"x", __VA_ARGS__},                                                  \
              sizeof((const char *[]){"x", __VA_ARGS__}) / sizeof(char *))

static enum config_result load_args(const char *const *argv, size_t count)
{
    return config_load(&program, (int)count, (char *const *)argv, &values, why, sizeof why);
}

/* The error must be the file's path followed by this. */
static void expect_file_error(const char *text, const char *sentence)
{
    assert_int_equal(load_file(text), CONFIG_ERROR);
    assert_memory_equal(why, file_path, strlen(file_path));
    assert_string_equal(why + strlen(file_path), sentence);
    assert_null(values.spool_dir);
}

static void defaults_come_from_the_table(void **state)
{
    (void)state;
    const char *argv[] = {"x"};
    assert_int_equal(config_load(&program, 1, (char *const *)argv, &values, why, sizeof why),
                     CONFIG_READY);
    assert_string_equal(values.spool_dir, "/var/spool");
    assert_null(values.key_file);
    assert_int_equal(values.spool_limit, 1u << 30);
    assert_int_equal(values.sweep, 10000000);
    assert_int_equal(values.workers, 2);
    assert_false(values.tap);
}

static void the_file_overrides_defaults(void **state)
{
    (void)state;
    assert_int_equal(load_file("# comment\nspool-dir: /x y\nspool_limit: 2M\nsweep: \"5ms\"\n"
                               "workers: -1\ntap: yes\n"),
                     CONFIG_READY);
    assert_string_equal(values.spool_dir, "/x y");
    assert_int_equal(values.spool_limit, 2u << 20);
    assert_int_equal(values.sweep, 5000000);
    assert_int_equal(values.workers, -1);
    assert_true(values.tap);
    assert_int_equal(load_file("logs: HTTPS://logs.example/?q={trace_id}&from=1\n"), CONFIG_READY);
    assert_string_equal(values.logs, "HTTPS://logs.example/?q={trace_id}&from=1");
}

static void the_command_line_overrides_the_file_wherever_it_stands(void **state)
{
    (void)state;
    assert_int_equal(load_file("workers: 7\nspool-dir: /file\n"), CONFIG_READY);
    assert_int_equal(LOAD_ARGS("--workers=9", "--tap", "--config", file_path), CONFIG_READY);
    assert_int_equal(values.workers, 9);
    assert_string_equal(values.spool_dir, "/file");
    assert_true(values.tap);
}

static void an_empty_file_is_valid(void **state)
{
    (void)state;
    assert_int_equal(load_file(""), CONFIG_READY);
    assert_int_equal(load_file("# nothing\n"), CONFIG_READY);
    assert_int_equal(load_file("---\n"), CONFIG_READY);
}

static void file_errors_say_where_what_and_what_instead(void **state)
{
    (void)state;
    expect_file_error("\nspool-limit: 12 apples\n",
                      ":2: spool-limit: found \"12 apples\", expected a size such as 512M");
    expect_file_error("sweep: 10\n", ":1: sweep: found \"10\", expected a duration such as 10ms");
    expect_file_error("\n\nlogs: javascript:alert(1)\n",
                      ":3: logs: found \"javascript:alert(1)\", expected an address that begins "
                      "with http:// or https://");
    expect_file_error("logs: https:///x\n", ":1: logs: found \"https:///x\", expected an address "
                                            "that begins with http:// or https://");
    expect_file_error("logs: \"http://a b\"\n", ":1: logs: found \"http://a b\", expected an "
                                                "address that begins with http:// or https://");
    expect_file_error("spool-limt: 1G\n",
                      ":1: found unknown option \"spool-limt\", expected \"spool-limit\"?");
    expect_file_error("colour: red\n",
                      ":1: found unknown option \"colour\", expected one of those in --help");
    expect_file_error("tap: on\nworkers: 1\ntap: off\n",
                      ":3: found \"tap\" again, expected it once (line 1 has it)");
    expect_file_error("workers: [1, 2]\n", ":1: found a list, expected a whole number");
    expect_file_error("- workers\n", ":1: found a list, expected \"option: value\"");
    expect_file_error("workers: 65\n",
                      ":1: workers: found \"65\", expected something from -1 to 64");
    expect_file_error("spool-limit: 1K\n",
                      ":1: spool-limit: found \"1K\", expected something from 1M to 1T");
}

static void broken_yaml_and_missing_files_are_told(void **state)
{
    (void)state;
    assert_int_equal(load_file("tap: \"unclosed\nworkers: 1\n"), CONFIG_ERROR);
    assert_non_null(strstr(why, "expected YAML"));
    assert_int_equal(LOAD_ARGS("--config", "/nonexistent/x.yaml"), CONFIG_ERROR);
    assert_string_equal(why, "/nonexistent/x.yaml: No such file or directory");
}

static void command_line_errors_are_told(void **state)
{
    (void)state;
    assert_int_equal(LOAD_ARGS("--worker=3"), CONFIG_ERROR);
    assert_string_equal(why, "found unknown option \"--worker\", expected \"--workers\"?");
    assert_int_equal(LOAD_ARGS("--workers"), CONFIG_ERROR);
    assert_string_equal(why, "--workers: found nothing behind it, expected a whole number");
    assert_int_equal(LOAD_ARGS("stray"), CONFIG_ERROR);
    assert_string_equal(why, "found \"stray\", expected an option (see --help)");
    assert_int_equal(LOAD_ARGS("--sweep", "fast"), CONFIG_ERROR);
    assert_string_equal(why, "--sweep: found \"fast\", expected a duration such as 10ms");
}

static void print_to(void (*print)(const struct config_program *, FILE *), char *text, size_t size)
{
    FILE *out = fmemopen(text, size, "w");
    assert_non_null(out);
    print(&program, out);
    fclose(out);
}

static void help_and_man_name_every_option_and_default(void **state)
{
    (void)state;
    static char help[8192], man[8192];
    print_to(config_print_help, help, sizeof help);
    print_to(config_print_man, man, sizeof man);
    for (size_t i = 0; i < program.option_count; i++) {
        char name[80];
        snprintf(name, sizeof name, "--%s", options[i].name);
        assert_non_null(strstr(help, name));
        assert_non_null(strstr(man, options[i].help));
    }
    assert_non_null(strstr(help, "(default: 10ms)"));
    assert_non_null(strstr(man, "spool\\-limit"));
    assert_non_null(strstr(man, "\\&.Second \\e paragraph."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(defaults_come_from_the_table, clear_values),
        cmocka_unit_test_teardown(the_file_overrides_defaults, clear_values),
        cmocka_unit_test_teardown(the_command_line_overrides_the_file_wherever_it_stands,
                                  clear_values),
        cmocka_unit_test_teardown(an_empty_file_is_valid, clear_values),
        cmocka_unit_test_teardown(file_errors_say_where_what_and_what_instead, clear_values),
        cmocka_unit_test_teardown(broken_yaml_and_missing_files_are_told, clear_values),
        cmocka_unit_test_teardown(command_line_errors_are_told, clear_values),
        cmocka_unit_test(help_and_man_name_every_option_and_default),
    };
    return cmocka_run_group_tests(tests, make_file, drop_file);
}

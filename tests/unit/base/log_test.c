// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"

/* stderr goes into a pipe while a test writes. */
static int saved_stderr, reader;

static int capture(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    saved_stderr = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    reader = ends[0];
    return 0;
}

static int release(void **state)
{
    (void)state;
    if (reader < 0)
        return 0;
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    close(reader);
    reader = -1;
    return 0;
}

static const char *captured(void)
{
    static char text[8192];
    dup2(saved_stderr, STDERR_FILENO); /* closes the pipe's writing end */
    ssize_t length = read(reader, text, sizeof text - 1);
    text[length < 0 ? 0 : length] = '\0';
    return text;
}

static void a_message_is_one_line_with_time_and_level(void **state)
{
    (void)state;
    errno = ENOSPC;
    LOG_WARN("disk %s", "full");
    assert_int_equal(errno, ENOSPC);
    const char *line = captured();
    assert_non_null(strstr(line, "Z warn  disk full\n"));
    assert_int_equal(line[4], '-');
    assert_int_equal(line[10], 'T');
}

static void nobody_forges_a_line(void **state)
{
    (void)state;
    LOG_WARN("name %s", "evil\n2030-01-01 error \x1b[31mforged");
    const char *line = captured();
    assert_non_null(strstr(line, "evil?2030"));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void levels_beyond_the_threshold_are_dropped(void **state)
{
    (void)state;
    enum log_level level;
    assert_false(log_parse_level("loud", &level));
    assert_true(log_parse_level("warn", &level));
    log_set_level(level);
    LOG_INFO("unheard");
    LOG_DEBUG("unheard");
    LOG_ERROR("heard");
    log_set_level(LOG_LEVEL_INFO);
    const char *line = captured();
    assert_null(strstr(line, "unheard"));
    assert_non_null(strstr(line, "error heard\n"));
}

static void a_long_message_is_cut_not_lost(void **state)
{
    (void)state;
    char text[4000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    LOG_INFO("%s", text);
    const char *line = captured();
    assert_true(strlen(line) > 1000 && strlen(line) < 3000);
    assert_int_equal(line[strlen(line) - 1], '\n');
}

static void a_noisy_site_backs_off_and_counts(void **state)
{
    (void)state;
    struct log_site site = {0};
    uint64_t suppressed;
    assert_true(log_site_opens_at(&site, 0, &suppressed));
    assert_false(log_site_opens_at(&site, 1, &suppressed));
    assert_false(log_site_opens_at(&site, 999, &suppressed));
    assert_true(log_site_opens_at(&site, 1000, &suppressed));
    assert_int_equal(suppressed, 2);
    assert_false(log_site_opens_at(&site, 2999, &suppressed)); /* now 2 s */
    assert_true(log_site_opens_at(&site, 3000, &suppressed));
    assert_int_equal(suppressed, 1);
    assert_false(log_site_opens_at(&site, 6999, &suppressed)); /* then 4 s */
}

static void a_quiet_site_starts_afresh(void **state)
{
    (void)state;
    struct log_site site = {0};
    uint64_t suppressed;
    int64_t now = 0;
    for (int i = 0; i < 20; i++, now = site.next_ms)
        assert_true(log_site_opens_at(&site, now, &suppressed));
    assert_int_equal(site.interval_ms, 300000);
    now += 2 * 300000;
    assert_true(log_site_opens_at(&site, now, &suppressed));
    assert_int_equal(site.interval_ms, 1000);
}

static void the_suppressed_are_told(void **state)
{
    (void)state;
    log_write_site(LOG_LEVEL_WARN, 17, "again");
    assert_non_null(strstr(captured(), "again (and 17 more times)\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_message_is_one_line_with_time_and_level, capture,
                                        release),
        cmocka_unit_test_setup_teardown(nobody_forges_a_line, capture, release),
        cmocka_unit_test_setup_teardown(levels_beyond_the_threshold_are_dropped, capture, release),
        cmocka_unit_test_setup_teardown(a_long_message_is_cut_not_lost, capture, release),
        cmocka_unit_test_setup_teardown(the_suppressed_are_told, capture, release),
        cmocka_unit_test(a_noisy_site_backs_off_and_counts),
        cmocka_unit_test(a_quiet_site_starts_afresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

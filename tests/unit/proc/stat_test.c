// SPDX-License-Identifier: Apache-2.0
#include "lib/proc/stat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/base/clock.h"

#define FIELDS                                                                                     \
    " S 41 42 43 34816 44 4194304 1 2 3 4 501 602 5 6 20 0 7 0 98765 1234567 890 "                 \
    "18446744073709551615"

static void a_name_may_hold_anything(void **state)
{
    static const char *const names[] = {"redis", "a) S 9 (b", ")", "((", "x\ny) R 1 1", "", " "};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[512];
        struct proc_stat s;
        snprintf(text, sizeof text, "17 (%s)" FIELDS "\n", names[i]);
        assert_true(proc_stat_parse(text, &s));
        assert_string_equal(s.name, names[i]);
        assert_int_equal(s.state, 'S');
        assert_int_equal(s.parent, 41);
        assert_int_equal(s.user_ticks, 501);
        assert_int_equal(s.system_ticks, 602);
        assert_int_equal(s.threads, 7);
        assert_int_equal(s.start_time, 98765);
        assert_int_equal(s.resident_pages, 890);
    }
}

static void what_is_no_such_text_is_none(void **state)
{
    static const char *const texts[] = {
        "", "17", "17 (a", "17 a)", ")(", "17 (a) S 1 2 3", "17 (a) S x" FIELDS};
    struct proc_stat s;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(proc_stat_parse(texts[i], &s));
}

static void this_process_is_found_whatever_it_calls_itself(void **state)
{
    struct proc_stat s;
    uint32_t uid;
    (void)state;
    prctl(PR_SET_NAME, "a) Z 1 (\nb");
    assert_true(proc_stat_read((uint32_t)getpid(), &s, &uid));
    assert_string_equal(s.name, "a) Z 1 (\nb");
    assert_int_equal(s.parent, getppid());
    assert_int_equal(uid, getuid());
    assert_false(proc_stat_is_dead(&s));
    assert_true(s.threads >= 1 && s.resident_pages > 0);
    uint64_t now = clock_unix_ns(), began = proc_start_unix_ns(s.start_time);
    assert_true(began < now + UINT64_C(1000000000) && began > now - UINT64_C(3600000000000));
    assert_false(proc_stat_read(0x7ffffff0, &s, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_may_hold_anything),
        cmocka_unit_test(what_is_no_such_text_is_none),
        cmocka_unit_test(this_process_is_found_whatever_it_calls_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

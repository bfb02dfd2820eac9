// SPDX-License-Identifier: Apache-2.0
/* A receiver that is not there holds up nobody, and costs a bounded queue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "collector/rules/notify.h"
#include "lib/base/log.h"
#include "tests/unit/eventually.h"

static void urls_are_checked(void **state)
{
    char why[300] = "";
    (void)state;
    assert_int_equal(notify_check_urls(NULL, why, sizeof why), 0);
    assert_int_equal(notify_check_urls(" http://a:9093/, http://b/am ", why, sizeof why), 0);
    static const char *const wrong[] = {"a:9093", "ftp://a", "https://a", "http://", "http://a?b"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(notify_check_urls(wrong[i], why, sizeof why), -1);
        assert_non_null(strstr(why, "expected http://HOST:PORT"));
    }
}

static void a_dead_receiver_drops_the_oldest(void **state)
{
    char why[300] = "";
    struct notifier_stats stats = {0};
    (void)state;
    log_set_level(LOG_LEVEL_ERROR);
    /* Nothing listens on port 1: each try fails. */
    struct notifier *n = notifier_create("http://127.0.0.1:1", why, sizeof why);
    assert_non_null(n);
    for (int i = 0; i < NOTIFY_QUEUE_MAX + 2 * NOTIFY_BATCH_MAX; i++)
        notifier_put(n, "{}", 2);
    notifier_stats(n, &stats);
    assert_true(stats.dropped > 0);
    EVENTUALLY((notifier_stats(n, &stats), stats.failed > 0));
    assert_int_equal(stats.sent, 0);
    notifier_destroy(&n);
    assert_null(n);
}

static void no_receiver_takes_all(void **state)
{
    char why[300];
    (void)state;
    struct notifier *n = notifier_create(NULL, why, sizeof why);
    assert_non_null(n);
    notifier_put(n, "{}", 2);
    notifier_destroy(&n);
    assert_null(notifier_create("nowhere", why, sizeof why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_checked),
        cmocka_unit_test(a_dead_receiver_drops_the_oldest),
        cmocka_unit_test(no_receiver_takes_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

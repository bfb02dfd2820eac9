// SPDX-License-Identifier: Apache-2.0
/* The thread that asks. */
#include "cli/top_fetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/cli/tables.h"
#include "tests/unit/eventually.h"

/* A source that answers when it is let. */
struct slow {
    pthread_mutex_t gate;
    atomic_int asked;
    char cache[128]; /* of the last question */
    bool fails;
};

static int ask(void *context, const struct top_question *q, struct top_table *out, char *why)
{
    struct slow *s = context;
    atomic_fetch_add(&s->asked, 1);
    pthread_mutex_lock(&s->gate);
    snprintf(s->cache, sizeof s->cache, "%s", q->cache);
    table_key(out, q->cache, 1, 1);
    pthread_mutex_unlock(&s->gate);
    snprintf(why, TOP_WHY, "%s", s->fails ? "nobody is there" : "");
    return s->fails ? -1 : 0;
}

static void put(struct top_fetch *f, const char *cache)
{
    struct top_question q = {.view = TOP_KEYS};
    snprintf(q.cache, sizeof q.cache, "%s", cache);
    top_fetch_ask(f, &q);
}

static bool is_readable(const struct top_fetch *f)
{
    struct pollfd p = {.fd = top_fetch_descriptor(f), .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void of_questions_that_wait_the_last_is_asked(void **state)
{
    struct slow slow = {.gate = PTHREAD_MUTEX_INITIALIZER};
    struct top_source source = {.ask = ask, .context = &slow};
    struct top_fetch *f = top_fetch_create(&source);
    struct top_answer answer;
    (void)state;
    assert_non_null(f);
    assert_false(top_fetch_take(f, &answer));
    pthread_mutex_lock(&slow.gate);
    put(f, "first");
    EVENTUALLY(atomic_load(&slow.asked) == 1);
    put(f, "second");
    put(f, "third");
    assert_true(top_fetch_is_busy(f));
    assert_false(is_readable(f));
    pthread_mutex_unlock(&slow.gate);
    EVENTUALLY(!top_fetch_is_busy(f));
    assert_int_equal(atomic_load(&slow.asked), 2);
    assert_true(is_readable(f));
    assert_true(top_fetch_take(f, &answer));
    assert_string_equal(answer.table.rows[0].texts[0], "third");
    assert_int_equal(answer.result, 0);
    top_table_fini(&answer.table);
    assert_false(top_fetch_take(f, &answer));
    assert_false(is_readable(f));
    top_fetch_destroy(&f);
}

static void a_source_that_fails_says_why_and_is_asked_again(void **state)
{
    struct slow slow = {.gate = PTHREAD_MUTEX_INITIALIZER, .fails = true};
    struct top_source source = {.ask = ask, .context = &slow};
    struct top_fetch *f = top_fetch_create(&source);
    struct top_answer answer;
    (void)state;
    put(f, "a");
    EVENTUALLY(top_fetch_take(f, &answer));
    assert_int_equal(answer.result, -1);
    assert_string_equal(answer.why, "nobody is there");
    top_table_fini(&answer.table);
    slow.fails = false;
    put(f, "b");
    EVENTUALLY(top_fetch_take(f, &answer));
    assert_int_equal(answer.result, 0);
    top_table_fini(&answer.table);
    put(f, "nobody takes this");
    EVENTUALLY(is_readable(f));
    top_fetch_destroy(&f);
    assert_null(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_questions_that_wait_the_last_is_asked),
        cmocka_unit_test(a_source_that_fails_says_why_and_is_asked_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

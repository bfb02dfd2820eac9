// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_hottest.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/top_collector.h"
#include "demo/people.h"

enum { FIRST_WINDOW_S = 20, WINDOW_S = 20 };

static void print(const struct world *w)
{
    char name[] = "top", once[] = "--once", count[] = "--count", three[] = "3";
    char *arguments[] = {name, once, count, three, NULL};
    setenv("WEFT_URL", w->url, 1);
    printf("\nweft top --once\n\n");
    fflush(stdout);
    optind = 0; /* getopt begins anew */
    command_top(4, arguments);
}

static bool ask(struct top_table *t)
{
    const struct top_question q = {.view = TOP_KEYS, .by = TOP_BY_CALLS, .seconds = WINDOW_S};
    char why[TOP_WHY];
    struct top_source source;
    top_collector_open(&source);
    if (source.ask(source.context, &q, t, why) == 0)
        return true;
    printf("\nWhich key is hottest cannot be asked: %s\n", why);
    return false;
}

int demo_hottest(const struct world *w, double seconds)
{
    struct top_table t;
    print(w);
    top_table_init(&t, TOP_KEYS);
    bool good = ask(&t);
    if (good && !*t.hottest) {
        good = seconds < FIRST_WINDOW_S; /* the first windows are under way */
        if (!good)
            printf("\nThe tap told of no key.\n");
    } else if (good && strcmp(t.hottest, PEOPLE_HOTTEST_KEY) != 0) {
        printf("\nThe hottest key is not the celebrity's, %s.\n", PEOPLE_HOTTEST_KEY);
        good = false;
    }
    top_table_fini(&t);
    return good ? 0 : 1;
}

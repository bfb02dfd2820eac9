// SPDX-License-Identifier: Apache-2.0
/* Random queries, as text, over the data of reference_data.h. Some have no meaning (a status that
 * is compared with an attribute's sum): the parser says so. */
#ifndef TESTS_UNIT_COLLECTOR_QUERY_TRACEQL_REFERENCE_QUERY_H
#define TESTS_UNIT_COLLECTOR_QUERY_TRACEQL_REFERENCE_QUERY_H

#include "tests/unit/collector/query/traceql/reference_data.h"

struct asking {
    uint64_t state;
    struct buffer text;
};

static inline uint32_t pick(struct asking *a, uint32_t limit)
{
    return any_below(&a->state, limit);
}

static inline void say(struct asking *a, const char *text)
{
    buffer_text(&a->text, text);
}

#define SAY_ANY(a, ...)                                                                            \
    say(a, any_of(&(a)->state, (const char *const[]){__VA_ARGS__},                                 \
                  sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)))

static inline void ask_pipeline(struct asking *a, int depth);

/* ---- inside { } -------------------------------------------------------------------------- */

static inline void ask_attribute(struct asking *a)
{
    SAY_ANY(a, "span.", "span.", "span.", "resource.", "event.", "link.", "instrumentation.", ".",
            "parent.", "parent.span.", "parent.resource.");
    SAY_ANY(a, "a", "b", "n", "flag", "s", "nowhere");
}

static inline void ask_order(struct asking *a)
{
    SAY_ANY(a, " = ", " != ", " < ", " <= ", " > ", " >= ");
}

static inline void ask_number(struct asking *a, int depth)
{
    switch (pick(a, depth > 0 ? 8 : 6)) {
    case 0:
        SAY_ANY(a, "0", "1", "2", "3", "0.5", "1.5", "2e0", "5ms", "0s", "10ms", "100us");
        return;
    case 1:
        SAY_ANY(a, "duration", "traceDuration", "event:timeSinceStart", "parent.duration");
        return;
    case 2:
        SAY_ANY(a, "childCount", "nestedSetLeft", "nestedSetRight", "nestedSetParent",
                "parent.childCount", "resource.process.pid");
        return;
    case 3:
        SAY_ANY(a, "span.n", "span.a", "event.n", ".n");
        return;
    case 4:
    case 5:
        ask_attribute(a);
        return;
    case 6:
        say(a, "(-");
        ask_number(a, depth - 1);
        break;
    default:
        say(a, "(");
        ask_number(a, depth - 1);
        SAY_ANY(a, " + ", " - ", " * ", " / ", " % ", " ^ ");
        ask_number(a, depth - 1);
    }
    say(a, ")");
}

static inline void ask_text(struct asking *a)
{
    SAY_ANY(a, "name", "statusMessage", "rootName", "rootServiceName", "event:name", "parent.name",
            "instrumentation:name", "resource.service.name", ".service.name", "span.s", "span.a",
            "event.s", ".b", "resource.host.name");
}

static inline void ask_text_comparison(struct asking *a)
{
    ask_text(a);
    if (pick(a, 3) == 0) {
        SAY_ANY(a, " =~ ", " !~ ");
        SAY_ANY(a, "\"x|y\"", "\".*\"", "\"\"", "\"[a-x]+\"", "\"b\"", "`w.*`", "\"db|web|xy\"");
        return;
    }
    ask_order(a);
    SAY_ANY(a, "\"x\"", "\"\"", "\"db\"", "\"web\"", "\"y\"", "\"retry\"", "\"nothing\"", "`boom`",
            "\"3\"");
}

static inline void ask_id(struct asking *a)
{
    char text[80];
    snprintf(text, sizeof text, "\"%s%x\"", pick(a, 2) ? "000" : "",
             (pick(a, DATA_TRACES) + 1) * 1000 + pick(a, 9));
    switch (pick(a, 6)) {
    case 0:
        SAY_ANY(a,
                "span:id = ", "span:id != ", "span:parentID = ", "span:parentID != ", "span:id > ");
        say(a, text);
        return;
    case 1:
        SAY_ANY(a, "trace:id = \"18f0000000000000000000000000002\"",
                "trace:id != \"018F0000000000000000000000000002\"",
                "trace:id >= \"018f0000000000000000000000000003\"", "trace:id =~ \".*[13]\"");
        return;
    case 2:
        SAY_ANY(a, "link:spanID = \"a\"", "link:spanID != \"B\"", "link:traceID != nil",
                "link:traceID = \"ABC\"", "link:traceID = \"10000000000000abc\"",
                "link:spanID =~ \"0*[1-9]\"", "span:id = \"none\"", "span:id != \"none\"");
        return;
    case 3:
        SAY_ANY(a, "parent = nil", "parent != nil", "span:parentID = nil", "span:parentID != nil");
        return;
    default:
        SAY_ANY(a, "rootName = nil", "event:name = nil", "link:spanID != nil", "parent.name = nil",
                "nestedSetParent = -1", "nestedSetParent = 0", "span:childCount > 1");
    }
}

static inline void ask_condition(struct asking *a, int depth)
{
    switch (pick(a, depth > 0 ? 13 : 9)) {
    case 0:
        ask_number(a, 2);
        ask_order(a);
        ask_number(a, 2);
        return;
    case 1:
        ask_text_comparison(a);
        return;
    case 2:
        SAY_ANY(a, "status", "parent.status");
        SAY_ANY(a, " = ", " != ");
        SAY_ANY(a, "unset", "ok", "error", "died", "in_flight");
        return;
    case 3:
        SAY_ANY(a, "kind", "parent.kind");
        SAY_ANY(a, " = ", " != ");
        SAY_ANY(a, "internal", "server", "client", "producer", "consumer", "unspecified");
        return;
    case 4:
        ask_attribute(a);
        SAY_ANY(a, " = nil", " != nil", " = true", " != false", " = 3", " != 3", " < 2.5",
                " = \"x\"", " != \"x\"", " >= \"x\"", " = ok");
        return;
    case 5:
        ask_id(a);
        return;
    case 6:
        SAY_ANY(a, "", "!");
        SAY_ANY(a, "span.flag", "resource.flag", ".flag", "span.a", "true", "false");
        return;
    case 7:
        SAY_ANY(a, "1", "span.n", "span.a");
        ask_order(a);
        ask_attribute(a);
        return;
    case 8:
        say(a, "(");
        ask_number(a, 1);
        say(a, pick(a, 2) ? ") = nil" : ") != nil");
        return;
    case 9:
        say(a, "!(");
        ask_condition(a, depth - 1);
        say(a, ")");
        return;
    default:
        say(a, "(");
        ask_condition(a, depth - 1);
        SAY_ANY(a, " && ", " || ", ") && (", ") || (");
        ask_condition(a, depth - 1);
        say(a, ")");
    }
}

static inline void ask_filter(struct asking *a)
{
    say(a, "{ ");
    if (pick(a, 8))
        ask_condition(a, 2);
    say(a, " }");
}

/* ---- sets and stages --------------------------------------------------------------------- */

static inline void ask_set(struct asking *a, int depth)
{
    uint32_t what = pick(a, depth > 0 ? 8 : 3);
    if (what < 3) {
        ask_filter(a);
        return;
    }
    say(a, "(");
    if (what == 3) {
        ask_pipeline(a, depth - 1);
    } else {
        ask_set(a, depth - 1);
        SAY_ANY(a, " && ", " || ", " > ", " >> ", " < ", " << ", " ~ ", " !> ", " !>> ", " !< ",
                " !<< ", " !~ ", " &> ", " &>> ", " &< ", " &<< ", " &~ ");
        ask_set(a, depth - 1);
    }
    say(a, ")");
}

static inline void ask_aggregate(struct asking *a)
{
    if (pick(a, 3) == 0) {
        say(a, "count()");
        return;
    }
    SAY_ANY(a, "min(", "max(", "avg(", "sum(");
    SAY_ANY(a, "duration", "span.n", "span.a", "childCount", ".n", "event:timeSinceStart",
            "span.n * 2", "parent.duration");
    say(a, ")");
}

static inline void ask_scalar(struct asking *a)
{
    if (pick(a, 5) == 0) {
        say(a, "(");
        ask_filter(a);
        say(a, " | count())");
        return;
    }
    ask_aggregate(a);
    if (pick(a, 4))
        return;
    SAY_ANY(a, " + ", " - ", " * ", " / ");
    if (pick(a, 2))
        ask_aggregate(a);
    else
        SAY_ANY(a, "2", "0.5", "1ms");
}

static inline void ask_stage(struct asking *a, int depth)
{
    switch (pick(a, 6)) {
    case 0:
        ask_set(a, depth);
        return;
    case 1:
    case 2:
        ask_scalar(a);
        ask_order(a);
        if (pick(a, 4))
            SAY_ANY(a, "0", "1", "2", "3", "4.5", "5ms", "12ms");
        else
            ask_scalar(a);
        return;
    case 3:
        say(a, "by(");
        if (pick(a, 3))
            SAY_ANY(a, "name", "kind", "status", "resource.service.name", "span:id",
                    "duration > 5ms", "span.n", "nestedSetParent", "parent.name", "rootName");
        else
            ask_attribute(a);
        say(a, ")");
        return;
    case 4:
        say(a, "coalesce()");
        return;
    default:
        say(a, "select(span.a, name)");
    }
}

static inline void ask_pipeline(struct asking *a, int depth)
{
    ask_set(a, depth);
    while (pick(a, 2)) {
        say(a, " | ");
        ask_stage(a, depth > 1 ? 1 : 0);
    }
}

/* A query of its own for each seed. The caller gives it back by buffer_fini. */
static inline struct buffer any_query(uint64_t seed)
{
    struct asking a = {.state = seed};
    if (pick(&a, 3))
        ask_filter(&a);
    else
        ask_pipeline(&a, 2);
    buffer_cstring(&a.text);
    return a.text;
}

#endif

// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/regex.h"

#include <cstdio>
#include <new>

#include <re2/re2.h>

struct traceql_regex {
    traceql_regex(const re2::StringPiece &pattern, const RE2::Options &options)
        : re(pattern, options)
    {
    }
    RE2 re;
};

static RE2::Options options()
{
    RE2::Options o;
    o.set_log_errors(false);
    o.set_dot_nl(true);
    o.set_max_mem(TRACEQL_REGEX_BYTES_MAX);
    return o;
}

struct traceql_regex *traceql_regex_create(const char *pattern, size_t length, char *why,
                                           size_t why_size)
{
    try {
        auto *r = new traceql_regex(re2::StringPiece(pattern, length), options());
        if (r->re.ok())
            return r;
        snprintf(why, why_size, "%s", r->re.error().c_str());
        delete r;
    } catch (const std::bad_alloc &) {
        snprintf(why, why_size, "out of memory");
    }
    return nullptr;
}

void traceql_regex_destroy(struct traceql_regex **r)
{
    delete *r;
    *r = nullptr;
}

bool traceql_regex_matches(const struct traceql_regex *r, const char *text, size_t length)
{
    try {
        return r->re.Match(re2::StringPiece(text, length), 0, length, RE2::ANCHOR_BOTH, nullptr, 0);
    } catch (const std::bad_alloc &) {
        return false;
    }
}

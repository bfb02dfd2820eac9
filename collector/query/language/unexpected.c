// SPDX-License-Identifier: Apache-2.0
/* Syntax errors in people's words: tokens that could stand somewhere are told in groups, as
 * "an operator" and not as seventeen of them. */
#include <stdio.h>
#include <string.h>

#include "collector/query/language/input.h"

enum { SHOWN_MAX = 40 };

/* Text in quotes has them already. */
static void tell_found(const struct language_input *in, struct language_place at, char *out,
                       size_t size)
{
    const char *token = language_bytes_at(in, at);
    uint32_t length = at.end - at.begin, shown = length;
    if (shown > SHOWN_MAX)
        for (shown = SHOWN_MAX; shown > 0 && (token[shown] & 0xc0) == 0x80;)
            shown--;
    if (length == 0)
        snprintf(out, size, "the end of the query");
    else if (strchr("\"'`", *token) && shown == length)
        snprintf(out, size, "%.*s", (int)shown, token);
    else
        snprintf(out, size, "\"%.*s%s\"", (int)shown, token, shown < length ? "…" : "");
}

static void tell_expected(const struct language_groups *groups, uint64_t expected, char *out,
                          size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (uint32_t g = 0; g < groups->count && used < size; g++) {
        if (groups->phrases[g] && (expected & (UINT64_C(1) << g)))
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "",
                                     groups->phrases[g]);
    }
}

void language_unexpected(struct language_input *in, struct language_place at,
                         const struct language_groups *groups, uint64_t expected, const char *hint)
{
    if (in->syntax.fault != LANGUAGE_SOUND)
        return;
    struct language_error e;
    tell_found(in, at, e.found, sizeof e.found);
    tell_expected(groups, expected, e.expected, sizeof e.expected);
    language_fail_syntax(in, at, "found %s%s%s%s", e.found,
                         e.expected[0] ? "; here can stand: " : "", e.expected, hint);
    memcpy(in->syntax.found, e.found, sizeof e.found);
    memcpy(in->syntax.expected, e.expected, sizeof e.expected);
}

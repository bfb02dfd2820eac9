// SPDX-License-Identifier: Apache-2.0
#include "collector/series/source.h"

bool matcher_matches(const struct matcher *m, struct batch_str value)
{
    switch (m->kind) {
    case MATCH_EQUAL:
        return batch_str_equal(m->value, value);
    case MATCH_NOT_EQUAL:
        return !batch_str_equal(m->value, value);
    case MATCH_REGEX:
        return regex_matches(m->regex, value.length ? value.bytes : "", value.length);
    case MATCH_NOT_REGEX:
        return !regex_matches(m->regex, value.length ? value.bytes : "", value.length);
    }
    return false;
}

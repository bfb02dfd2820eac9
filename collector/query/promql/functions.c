// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/functions.h"

#include <stdlib.h>

static const struct promql_function functions[] = {
#define ROW(id, name, type, least, most, args)                                                     \
    {PROMQL_FN_##id, name, PROMQL_##type, least, most, args},
    PROMQL_FUNCTIONS(ROW)
#undef ROW
};

const char *promql_type_name(enum promql_type type)
{
    static const char *const names[] = {"nothing", "scalar", "string", "instant vector",
                                        "range vector"};
    return names[type];
}

static int compare_name(const void *key, const void *function)
{
    const char *name = ((const struct promql_function *)function)->name;
    return batch_str_compare(*(const struct batch_str *)key,
                             (struct batch_str){name, (uint32_t)strlen(name)});
}

/* The table is sorted by name. */
const struct promql_function *promql_function_named(struct batch_str name)
{
    return bsearch(&name, functions, PROMQL_FUNCTION_COUNT, sizeof *functions, compare_name);
}

const struct promql_function *promql_function_at(enum promql_function_id id)
{
    return &functions[id];
}

enum promql_type promql_function_arg(const struct promql_function *f, uint32_t i)
{
    uint32_t last = (uint32_t)strlen(f->args) - 1;
    switch (f->args[i < last ? i : last]) {
    case 's':
        return PROMQL_SCALAR;
    case 't':
        return PROMQL_STRING;
    case 'v':
        return PROMQL_VECTOR;
    default:
        return PROMQL_MATRIX;
    }
}

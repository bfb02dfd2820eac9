// SPDX-License-Identifier: Apache-2.0
#include "collector/query/promql/ast.h"

const char *promql_op_text(enum promql_op op)
{
    static const char *const texts[] = {"+", "-", "*",  "/",  "%",  "^",  "atan2", "==", "!=",
                                        ">", "<", ">=", "<=", "</", ">/", "and",   "or", "unless"};
    return texts[op];
}

const struct promql_expr *promql_bare(const struct promql_expr *e)
{
    while (e->form == PROMQL_PAREN)
        e = e->args[0];
    return e;
}

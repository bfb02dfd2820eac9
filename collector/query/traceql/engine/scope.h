// SPDX-License-Identifier: Apache-2.0
/* Instrumentation scopes: OpenTelemetry's name, version and attributes of the library that made
 * a span are, here, the span's attributes otel.scope.name, otel.scope.version, otel.scope.KEY. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_SCOPE_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_SCOPE_H

#include <string.h>

#include "collector/query/traceql/ast.h"
#include "collector/query/traceql/engine/view.h"

#define SCOPE_PREFIX "otel.scope."

static inline struct batch_str scope_key_of_intrinsic(enum traceql_intrinsic i)
{
    const char *key =
        i == TRACEQL_INSTRUMENTATION_NAME ? SCOPE_PREFIX "name" : SCOPE_PREFIX "version";
    return (struct batch_str){key, (uint32_t)strlen(key)};
}

/* In the view's arena. bytes is NULL where memory is out: then the view failed. */
static inline struct batch_str scope_key(struct view *v, struct batch_str key)
{
    uint32_t prefix = (uint32_t)strlen(SCOPE_PREFIX);
    char *whole = view_alloc(v, prefix + key.length, 1);
    if (!whole)
        return (struct batch_str){NULL, 0};
    memcpy(whole, SCOPE_PREFIX, prefix);
    memcpy(whole + prefix, key.bytes, key.length);
    return (struct batch_str){whole, prefix + key.length};
}

#endif

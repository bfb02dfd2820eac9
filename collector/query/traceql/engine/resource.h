// SPDX-License-Identifier: Apache-2.0
/* A process' resource attributes: those that make its identity (service.name, service.version,
 * service.instance.id, host.name, weft.cell, process.pid) are fields of their own in a batch and
 * are named here as OpenTelemetry names them; the others are as they were sent. */
#ifndef WEFT_COLLECTOR_QUERY_TRACEQL_RESOURCE_H
#define WEFT_COLLECTOR_QUERY_TRACEQL_RESOURCE_H

#include "collector/query/traceql/ast.h"
#include "collector/traces/block.h"

/* A value of a batch as a value of a query; what is STRING or BYTES indexes `strings`. */
struct traceql_value value_of_batch(uint8_t type, uint64_t bits, const struct batch_str *strings);

/* Value `i` of those that the process has under the key: NIL where there are not so many. An empty
 * identity is none. */
struct traceql_value resource_value(const struct block_processes *p, uint32_t process,
                                    struct batch_str key, uint32_t i);

/* Every attribute of a process, each key once. */
void resource_each(const struct block_processes *p, uint32_t process,
                   void (*each)(void *context, struct batch_str key,
                                const struct traceql_value *value),
                   void *context);

#endif

// SPDX-License-Identifier: Apache-2.0
/* The attributes that carry what is a field on the other side (otlp.h); names as in OpenTelemetry's
 * semantic conventions, those that begin with weft. are ours. */
#ifndef WEFT_OTLP_OTLP_NAMES_H
#define WEFT_OTLP_OTLP_NAMES_H

#define OTLP_SERVICE       "service.name"
#define OTLP_VERSION       "service.version"
#define OTLP_INSTANCE      "service.instance.id"
#define OTLP_HOST          "host.name"
#define OTLP_PID           "process.pid"
#define OTLP_CELL          "weft.cell"
#define OTLP_STATUS        "weft.status"
#define OTLP_SCOPE         "otel.scope."
#define OTLP_SCOPE_NAME    "otel.scope.name"
#define OTLP_SCOPE_VERSION "otel.scope.version"

#endif

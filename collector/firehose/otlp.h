// SPDX-License-Identifier: Apache-2.0
/* Spans of a stream as OTLP: messages of the kind that OTLP/HTTP carries, one span each, every one
 * preceded by its length as a varint (as protobuf's own "delimited" helpers write and read them).
 * The resource's attribute weft.cursor tells the place; a gap is a message without spans whose
 * resource has weft.gap.reason and weft.gap.spans; a message of length 0 keeps the line alive. */
#ifndef WEFT_COLLECTOR_FIREHOSE_OTLP_H
#define WEFT_COLLECTOR_FIREHOSE_OTLP_H

#include "collector/firehose/format.h"

extern const struct firehose_format firehose_otlp;

#endif

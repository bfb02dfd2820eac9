// SPDX-License-Identifier: Apache-2.0
/* Cuts OTLP's JSON of any size (documents one after the other, as a collector's file exporter
 * writes them, or one of a million spans) into requests of a bounded size, without having more of
 * it in memory than a request: the spans of a long list are handed on a few thousand at a time,
 * each request with their resource and scope. */
#ifndef WEFT_OTLP_OTLP_SPLIT_H
#define WEFT_OTLP_OTLP_SPLIT_H

#include <stdint.h>
#include <stdio.h>

#include "lib/otlp/otlp.h"

struct otlp_split_options {
    size_t request_bytes;   /* a request ends with the span that passes this, */
    uint32_t request_spans; /* or this number */
    /* A document {"resourceSpans": …}. Anything but 0 ends the splitting. */
    int (*send)(void *context, const char *json, size_t length, uint32_t spans);
    void *context;
};

/* 0; what `send` answered; -1 with a sentence that names the byte where the input is no such JSON.
 * Spans before that place have been sent. */
int otlp_split(FILE *in, const struct otlp_split_options *options, char why[OTLP_WHY_MAX]);

#endif

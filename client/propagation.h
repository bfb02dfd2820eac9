// SPDX-License-Identifier: Apache-2.0
/* Trace context in text headers: what traceparent.c and b3.c share. */
#ifndef WEFT_CLIENT_PROPAGATION_H
#define WEFT_CLIENT_PROPAGATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weft/weft.h"

/* Exactly `digits` (1 to 16) hex digits at `text`, capitals too, as B3 allows; false at anything
 * else, a NUL too. */
bool hex_read_any_case(const char *text, unsigned digits, uint64_t *value);
/* Writes `digits` lowercase hex digits, no NUL. */
void hex_write(char *text, unsigned digits, uint64_t value);

void traceparent_write(const struct weft_context *context, char out[WEFT_TRACEPARENT_SIZE]);

int b3_extract_multi(struct weft_context *context, weft_header_get *get, void *request);
void b3_inject_single(const struct weft_context *context, weft_header_set *set, void *request);
void b3_inject_multi(const struct weft_context *context, weft_header_set *set, void *request);

#endif

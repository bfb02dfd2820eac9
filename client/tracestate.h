// SPDX-License-Identifier: Apache-2.0
/* The member that libweft adds to a tracestate: weft=<service>, who calls. Internal to libweft. */
#ifndef WEFT_CLIENT_TRACESTATE_H
#define WEFT_CLIENT_TRACESTATE_H

#include <stdbool.h>
#include <stddef.h>

/* 511 bytes, as weft_context holds, and a NUL. (W3C: what is longer than 512 anybody may cut.) */
enum { TRACESTATE_SIZE = 512 };

/* Who this process is, once, holding the process lock. WEFT_TRACESTATE=0: it does not say. */
void tracestate_settle(const char *service);

/* What to send where `text` came: our member first, then the others, as many as there is room for.
 * The length; 0: nothing to send. */
size_t tracestate_write(const char *text, size_t length, char out[TRACESTATE_SIZE]);

/* Whether it says nothing but who called, which is of no use to the spans below the one that it
 * came to. */
bool tracestate_is_ours_alone(const char *text, size_t length);

#endif

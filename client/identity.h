// SPDX-License-Identifier: Apache-2.0
/* Who records: from weft_identify and weft_resource, else from the environment. */
#ifndef WEFT_CLIENT_IDENTITY_H
#define WEFT_CLIENT_IDENTITY_H

#include <stddef.h>

/* Settled from now on: weft_identify and weft_resource fail. Calls `add` for each attribute:
 * service.name, service.version, service.instance.id, weft.cell, host.name, then the free ones.
 * Holding the process lock. */
void identity_settle(void (*add)(void *context, const char *key, const char *value, size_t length),
                     void *context);

/* A number from the environment, within [least, most], else `standard`. */
unsigned long identity_number(const char *variable, unsigned long standard, unsigned long least,
                              unsigned long most);

#endif

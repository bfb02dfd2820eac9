// SPDX-License-Identifier: Apache-2.0
/* Who a process is, by the resource in its file. */
#ifndef WEFT_AGENT_PROCESS_IDENTITY_H
#define WEFT_AGENT_PROCESS_IDENTITY_H

#include <stdbool.h>

#include "lib/ring/slab_reader.h"

/* Empty where the process does not say. */
struct process_identity {
    char host[256], service[256], version[256], instance[256], cell[256];
};

void process_identity_read(struct process_identity *identity, struct slab_reader *reader);
/* Whether this attribute of the resource is one of those above. */
bool process_identity_has(const char *key, size_t length);

#endif

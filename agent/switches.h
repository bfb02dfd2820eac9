// SPDX-License-Identifier: Apache-2.0
/* Which services are not to record, as the collector last said. Sweeper's thread. */
#ifndef WEFT_AGENT_SWITCHES_H
#define WEFT_AGENT_SWITCHES_H

#include <stdbool.h>
#include <stddef.h>

#define SWITCHES_MAX 256

struct switches {
    char off[SWITCHES_MAX][128];
    size_t count;
};

/* `service` "*" means all. Off beyond SWITCHES_MAX is forgotten, with a false. */
bool switches_set(struct switches *s, const char *service, bool on);
bool switches_recording(const struct switches *s, const char *service);

#endif

// SPDX-License-Identifier: Apache-2.0
/* The agents that a server knows: their keys and sessions. Internal to lib/link; the receiving
 * thread's alone. */
#ifndef WEFT_LINK_SERVER_AGENTS_H
#define WEFT_LINK_SERVER_AGENTS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "lib/link/keys.h"
#include "lib/link/link.h"
#include "lib/link/session.h"

struct server_agent {
    char id[LINK_AGENT_ID_MAX + 1];
    uint8_t key[LINK_KEY_BYTES];
    struct stat key_file; /* as it was when the key was read */
    struct link_sessions sessions;
};

struct server_agents {
    char *keys_directory;        /* NULL: open */
    struct server_agent **slots; /* open addressing, at most half full */
    size_t count, capacity;
};

/* 0, or -1 when memory is out. */
int server_agents_init(struct server_agents *a, const char *keys_directory);
void server_agents_fini(struct server_agents *a);

/* LINK_ACCEPTED with *agent; LINK_UNKNOWN_AGENT with a sentence in `why`; LINK_BUSY when memory
 * is out or an open server has met more agents than it remembers. */
enum link_verdict server_agents_find(struct server_agents *a, const char *id,
                                     struct server_agent **agent, char *why, size_t why_size);

#endif

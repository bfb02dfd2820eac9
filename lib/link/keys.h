// SPDX-License-Identifier: Apache-2.0
/* Keys of the link: 32 random bytes that one agent and its collector share, in a file of one
 * line "weft-key-v1:BASE64", mode 0600. The agent is told its file; the collector has a
 * directory of AGENT.key files. */
#ifndef WEFT_LINK_KEYS_H
#define WEFT_LINK_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINK_KEY_BYTES = 32 };

/* Each answers 0, or -1 with a sentence in `why`. */
int link_key_generate(uint8_t key[LINK_KEY_BYTES], char *why, size_t why_size);
/* Never overwrites. */
int link_key_save(const char *path, const uint8_t key[LINK_KEY_BYTES], char *why, size_t why_size);
/* Refuses a file that others than its owner may read or write. */
int link_key_load(const char *path, uint8_t key[LINK_KEY_BYTES], char *why, size_t why_size);

/* 1 to 63 of [A-Za-z0-9._-], not beginning with a dot: so it is safe as a file's name. */
bool link_agent_id_is_valid(const char *agent);

#endif

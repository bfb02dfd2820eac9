// SPDX-License-Identifier: Apache-2.0
#include "lib/link/server_agents.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { CAPACITY_LEAST = 64, AGENTS_MOST = 1 << 16 };

int server_agents_init(struct server_agents *a, const char *keys_directory)
{
    *a = (struct server_agents){.capacity = CAPACITY_LEAST};
    a->slots = calloc(a->capacity, sizeof *a->slots);
    a->keys_directory = keys_directory ? strdup(keys_directory) : NULL;
    return a->slots && (a->keys_directory || !keys_directory) ? 0 : -1;
}

void server_agents_fini(struct server_agents *a)
{
    for (size_t i = 0; a->slots && i < a->capacity; i++) {
        if (a->slots[i])
            sodium_memzero(a->slots[i], sizeof *a->slots[i]);
        free(a->slots[i]);
    }
    free(a->slots);
    free(a->keys_directory);
    *a = (struct server_agents){0};
}

static size_t slot_of(struct server_agent *const *slots, size_t capacity, const char *id)
{
    size_t i = XXH3_64bits(id, strlen(id)) & (capacity - 1);
    while (slots[i] && strcmp(slots[i]->id, id) != 0)
        i = (i + 1) & (capacity - 1);
    return i;
}

static bool grow(struct server_agents *a)
{
    size_t capacity = a->capacity * 2;
    struct server_agent **slots = calloc(capacity, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < a->capacity; i++) {
        if (a->slots[i])
            slots[slot_of(slots, capacity, a->slots[i]->id)] = a->slots[i];
    }
    free(a->slots);
    a->slots = slots;
    a->capacity = capacity;
    return true;
}

static struct server_agent *find_or_add(struct server_agents *a, const char *id)
{
    size_t i = slot_of(a->slots, a->capacity, id);
    if (a->slots[i])
        return a->slots[i];
    if (a->count >= AGENTS_MOST || (a->count >= a->capacity / 2 && !grow(a)))
        return NULL;
    struct server_agent *agent = calloc(1, sizeof *agent);
    if (!agent)
        return NULL;
    snprintf(agent->id, sizeof agent->id, "%s", id);
    a->slots[slot_of(a->slots, a->capacity, id)] = agent;
    a->count++;
    return agent;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_mode == b->st_mode;
}

enum link_verdict server_agents_find(struct server_agents *a, const char *id,
                                     struct server_agent **agent, char *why, size_t why_size)
{
    char path[PATH_MAX];
    struct stat st;
    uint8_t key[LINK_KEY_BYTES];
    if (!a->keys_directory) {
        *agent = find_or_add(a, id);
        return *agent ? LINK_ACCEPTED : LINK_BUSY;
    }
    snprintf(path, sizeof path, "%s/%s.key", a->keys_directory, id);
    if (stat(path, &st) < 0) {
        snprintf(why, why_size, "no key for agent %s", id);
        return LINK_UNKNOWN_AGENT;
    }
    *agent = find_or_add(a, id);
    if (!*agent)
        return LINK_BUSY;
    if (same_file(&st, &(*agent)->key_file))
        return LINK_ACCEPTED;
    if (link_key_load(path, key, why, why_size) < 0)
        return LINK_UNKNOWN_AGENT;
    if (sodium_memcmp(key, (*agent)->key, sizeof key) != 0)
        (*agent)->sessions = (struct link_sessions){0};
    memcpy((*agent)->key, key, sizeof key);
    (*agent)->key_file = st;
    sodium_memzero(key, sizeof key);
    return LINK_ACCEPTED;
}

// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/statistics.h"

#include <stdlib.h>
#include <string.h>

int cache_statistics_init(struct cache_statistics *s, uint16_t command_count)
{
    *s = (struct cache_statistics){.command_count = command_count};
    s->commands = (struct command_statistics **)calloc(command_count, sizeof *s->commands);
    return s->commands ? 0 : -1;
}

void cache_statistics_fini(struct cache_statistics *s)
{
    for (uint16_t i = 0; s->commands && i < s->command_count; i++) {
        if (!s->commands[i])
            continue;
        exphist_fini(&s->commands[i]->service_seconds);
        exphist_fini(&s->commands[i]->value_bytes);
        free(s->commands[i]);
    }
    free((void *)s->commands);
    *s = (struct cache_statistics){0};
}

static struct command_statistics *command_of(struct cache_statistics *s, uint16_t command)
{
    struct command_statistics **place = &s->commands[command < s->command_count ? command : 0];
    if (!*place && (*place = calloc(1, sizeof **place)) != NULL) {
        exphist_init(&(*place)->service_seconds, 0);
        exphist_init(&(*place)->value_bytes, 0);
    }
    return *place;
}

static void add_error(struct cache_statistics *s, uint16_t command, const char *error)
{
    for (uint32_t i = 0; i < s->error_count; i++)
        if (s->errors[i].command == command && strcmp(s->errors[i].error, error) == 0) {
            s->errors[i].count++;
            return;
        }
    if (s->error_count == STATISTICS_ERRORS_MOST)
        s->other_errors++;
    else
        s->errors[s->error_count++] = (struct error_statistics){command, error, 1};
}

static void add_keys(struct command_statistics *c, const struct tap_exchange *e)
{
    c->keys += e->key_count + (uint64_t)e->keys_not_kept;
    for (uint32_t i = 0; i < e->key_count; i++) {
        c->hits += e->keys[i].outcome == TAP_HIT;
        c->misses += e->keys[i].outcome == TAP_MISS;
        if (e->keys[i].value_bytes > 0)
            exphist_add(&c->value_bytes, (double)e->keys[i].value_bytes, 1);
    }
}

void cache_statistics_add(struct cache_statistics *s, const struct tap_exchange *e)
{
    struct command_statistics *c = command_of(s, e->command);
    if (!c) {
        s->no_memory++;
        return;
    }
    c->calls++;
    c->unanswered += e->ending == TAP_NOT_ASKED_FOR;
    c->not_seen += e->ending == TAP_NOT_SEEN;
    c->withdrawn += e->ending == TAP_WITHDRAWN;
    c->request_bytes += e->request_bytes;
    c->reply_bytes += e->reply_bytes;
    add_keys(c, e);
    if (e->failed) {
        c->failed++;
        add_error(s, e->command, e->error);
    }
    if (e->answered_ns >= e->asked_ns && e->answered_ns > 0)
        exphist_add(&c->service_seconds, (double)(e->answered_ns - e->asked_ns) / 1e9, 1);
}

// SPDX-License-Identifier: Apache-2.0
#include "plugins/collectd/settings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { QUEUE_LEAST = 16, QUEUE_MOST = 10000000 };

void settings_init(struct settings *s)
{
    *s = (struct settings){
        .socket = "/run/weft/feed.sock",
        .queue_length = 100000,
        .timeout_ms = 5000,
        .summaries = true,
    };
}

/* ---- what was found ------------------------------------------------------------------------ */

static void describe(const oconfig_item_t *item, char *out, size_t size)
{
    const oconfig_value_t *v = item->values;
    if (item->children_num > 0)
        snprintf(out, size, "a block");
    else if (item->values_num != 1)
        snprintf(out, size, "%d values", item->values_num);
    else if (v->type == OCONFIG_TYPE_STRING)
        snprintf(out, size, "\"%.80s\"", v->value.string);
    else if (v->type == OCONFIG_TYPE_NUMBER)
        snprintf(out, size, "%g", v->value.number);
    else
        snprintf(out, size, "%s", v->value.boolean ? "true" : "false");
}

static int wrong(const oconfig_item_t *item, const char *expected, char *why, size_t size)
{
    char found[128];
    describe(item, found, sizeof found);
    snprintf(why, size, "%s: found %s, expected %s", item->key, found, expected);
    return -1;
}

static const oconfig_value_t *only(const oconfig_item_t *item, int type)
{
    bool is = item->values_num == 1 && item->children_num == 0 && item->values[0].type == type;
    return is ? &item->values[0] : NULL;
}

/* ---- options ------------------------------------------------------------------------------- */

static int read_socket(struct settings *s, const oconfig_item_t *item, char *why, size_t size)
{
    const oconfig_value_t *v = only(item, OCONFIG_TYPE_STRING);
    if (!v || v->value.string[0] != '/' || strlen(v->value.string) >= sizeof s->socket)
        return wrong(item,
                     "the path of the agent's socket, such as \"/run/weft/feed.sock\", of 107 "
                     "bytes at most",
                     why, size);
    strcpy(s->socket, v->value.string);
    return 0;
}

static int read_queue_length(struct settings *s, const oconfig_item_t *item, char *why, size_t size)
{
    const oconfig_value_t *v = only(item, OCONFIG_TYPE_NUMBER);
    if (!v || !(v->value.number >= QUEUE_LEAST && v->value.number <= QUEUE_MOST) ||
        v->value.number != floor(v->value.number))
        return wrong(item, "how many values may wait, from 16 to 10000000", why, size);
    s->queue_length = (uint32_t)v->value.number;
    return 0;
}

static int read_timeout(struct settings *s, const oconfig_item_t *item, char *why, size_t size)
{
    const oconfig_value_t *v = only(item, OCONFIG_TYPE_NUMBER);
    if (!v || !(v->value.number >= 0.1 && v->value.number <= 60))
        return wrong(item, "seconds, from 0.1 to 60", why, size);
    s->timeout_ms = (int64_t)(v->value.number * 1000);
    return 0;
}

static int read_summaries(struct settings *s, const oconfig_item_t *item, char *why, size_t size)
{
    const oconfig_value_t *v = only(item, OCONFIG_TYPE_BOOLEAN);
    if (!v)
        return wrong(item, "true or false", why, size);
    s->summaries = v->value.boolean != 0;
    return 0;
}

static const struct option {
    const char *key;
    int (*read)(struct settings *s, const oconfig_item_t *item, char *why, size_t size);
} options[] = {
    {"Socket", read_socket},
    {"QueueLength", read_queue_length},
    {"Timeout", read_timeout},
    {"Summaries", read_summaries},
};

static int read_option(struct settings *s, const oconfig_item_t *item, char *why, size_t size)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcasecmp(item->key, options[i].key) == 0)
            return options[i].read(s, item, why, size);
    snprintf(why, size,
             "found the option \"%.80s\", expected Socket, QueueLength, Timeout or Summaries",
             item->key);
    return -1;
}

int settings_read(struct settings *s, const oconfig_item_t *block, char *why, size_t why_size)
{
    struct settings fresh = *s;
    for (int i = 0; i < block->children_num; i++)
        if (read_option(&fresh, &block->children[i], why, why_size) != 0)
            return -1;
    *s = fresh;
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* collectd's plugin "weft": what collectd calls, and when.
 *
 *   config, init   the block <Plugin weft>; then the queue and the sender begin
 *   write          each value list: queued, and never waits
 *   notification   queued as a mark
 *   read           the agent is asked for its summaries, which become values of plugin "weft"
 *   flush          waits, bounded, until what is queued is with the agent
 *   shutdown       the same, then all ends; what was not taken is counted in the log
 *
 * collectd calls read, write, notification and flush on several threads at once. Its structures for
 * plugins hold no place for data of init and shutdown: so what is here is static. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "plugins/collectd/collectd.h"
#include "plugins/collectd/readings.h"
#include "plugins/collectd/sender.h"
#include "plugins/collectd/settings.h"
#include "plugins/collectd/summaries.h"

#define SUMMARIES_TIMEOUT_MS 1000 /* a reading thread waits no longer */

static struct settings settings;
static bool is_misconfigured;
static struct queue *queue;
static struct sums *sums;
static struct sender *sender;

static void say(enum sender_tone tone, const char *sentence)
{
    plugin_log(tone == SENDER_WARNING ? LOG_WARNING : LOG_INFO, "weft: %s", sentence);
}

/* ---- config -------------------------------------------------------------------------------- */

static int on_config(oconfig_item_t *block)
{
    char why[512];
    if (settings_read(&settings, block, why, sizeof why) == 0)
        return 0;
    is_misconfigured = true;
    ERROR("weft: <Plugin weft>: %s", why);
    return -1;
}

/* ---- values -------------------------------------------------------------------------------- */

/* What we told collectd ourselves the agent knows. */
static int on_write(const data_set_t *set, const value_list_t *list, user_data_t *data)
{
    (void)data;
    if (strcmp(list->plugin, "weft") != 0)
        readings_put(queue, sums, set, list);
    return 0;
}

static int on_notification(const notification_t *n, user_data_t *data)
{
    (void)data;
    readings_put_notification(queue, n);
    return 0;
}

/* ---- summaries ----------------------------------------------------------------------------- */

static void copy_instance(char *to, const char *from)
{
    snprintf(to, DATA_MAX_NAME_LEN, "%s", from);
    for (char *c = to; *c; c++)
        if (*c == '/')
            *c = '_';
}

static void dispatch(void *context, const struct summary *s)
{
    value_t value;
    value_list_t list = VALUE_LIST_INIT;
    (void)context;
    if (s->counts)
        value.derive = s->count;
    else
        value.gauge = s->value;
    list.values = &value;
    list.values_len = 1;
    snprintf(list.plugin, sizeof list.plugin, "weft");
    copy_instance(list.plugin_instance, s->instance);
    snprintf(list.type, sizeof list.type, "%s", s->type);
    copy_instance(list.type_instance, s->type_instance);
    plugin_dispatch_values(&list);
}

/* An agent that is away is the sender's to tell of; an error would only double the interval. */
static int on_read(user_data_t *data)
{
    char why[256];
    int64_t timeout_ms = settings.timeout_ms;
    (void)data;
    if (timeout_ms > SUMMARIES_TIMEOUT_MS)
        timeout_ms = SUMMARIES_TIMEOUT_MS;
    summaries_ask(settings.socket, timeout_ms, dispatch, NULL, why, sizeof why);
    return 0;
}

/* ---- ending -------------------------------------------------------------------------------- */

static int on_flush(cdtime_t timeout, const char *identifier, user_data_t *data)
{
    (void)timeout;
    (void)identifier;
    (void)data;
    uint64_t missing = queue_flush(queue, clock_monotonic_ms() + settings.timeout_ms);
    if (missing == 0)
        return 0;
    WARNING("weft: flush: %" PRIu64 " values are not with the agent", missing);
    return -1;
}

static int on_shutdown(void)
{
    uint64_t given_up = sender_stop(&sender);
    if (given_up > 0)
        ERROR("weft: %" PRIu64 " values were given up: the agent at %s did not take them in time",
              given_up, settings.socket);
    return 0; /* threads of other plugins may still call us: queue and sums stay */
}

/* ---- beginning ----------------------------------------------------------------------------- */

static int start(void)
{
    const struct sender_options options = {settings.socket, hostname_g, settings.timeout_ms, say};
    queue = queue_create(settings.queue_length);
    sums = sums_create();
    sender = queue && sums ? sender_create(queue, &options) : NULL;
    if (sender)
        return 0;
    ERROR("weft: no memory, or no thread");
    queue_destroy(&queue);
    sums_destroy(&sums);
    return -1;
}

static int on_init(void)
{
    if (is_misconfigured || start() != 0)
        return -1;
    plugin_register_write("weft", on_write, NULL);
    plugin_register_notification("weft", on_notification, NULL);
    plugin_register_flush("weft", on_flush, NULL);
    plugin_register_shutdown("weft", on_shutdown);
    if (settings.summaries)
        plugin_register_complex_read(NULL, "weft", on_read, 0, NULL);
    return 0;
}

void module_register(void)
{
    settings_init(&settings);
    plugin_register_complex_config("weft", on_config);
    plugin_register_init("weft", on_init);
}

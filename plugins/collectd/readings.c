// SPDX-License-Identifier: Apache-2.0
#include "plugins/collectd/readings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- meta data ----------------------------------------------------------------------------- */

/* Of the texts among the meta data; `keys` is to be freed by drop_meta. */
struct meta {
    char **keys;
    int count;
    char *values[READING_META_MAX];
};

static void take_meta(struct meta *m, meta_data_t *from, struct reading *r)
{
    *m = (struct meta){0};
    m->count = from ? meta_data_toc(from, &m->keys) : 0;
    for (int i = 0; i < m->count && r->meta_count < READING_META_MAX; i++) {
        char *value;
        if (meta_data_type(from, m->keys[i]) != MD_TYPE_STRING ||
            meta_data_get_string(from, m->keys[i], &value) != 0)
            continue;
        m->values[r->meta_count] = value;
        r->meta[r->meta_count].key = m->keys[i];
        r->meta[r->meta_count++].value = value;
    }
}

static void drop_meta(struct meta *m)
{
    for (int i = 0; i < READING_META_MAX; i++)
        free(m->values[i]);
    for (int i = 0; i < m->count; i++)
        free(m->keys[i]);
    free(m->keys);
}

/* ---- values -------------------------------------------------------------------------------- */

static double number_of(value_t value, int type)
{
    switch (type) {
    case DS_TYPE_COUNTER:
        return (double)value.counter;
    case DS_TYPE_DERIVE:
        return (double)value.derive;
    case DS_TYPE_ABSOLUTE:
        return (double)value.absolute;
    default:
        return value.gauge;
    }
}

static void put(struct queue *q, struct sums *sums, struct reading *r, const data_source_t *source,
                value_t value, uint64_t unix_ns)
{
    struct series_name name;
    double number = number_of(value, source->type);
    if (isnan(number))
        return;
    r->source = source->name;
    r->counts = source->type != DS_TYPE_GAUGE;
    series_name_make(r, &name);
    struct entry *e = entry_sample(&name, r->counts, unix_ns, number);
    if (e && source->type == DS_TYPE_ABSOLUTE &&
        !sums_add(sums, e->text, e->text_bytes, number, &e->value)) {
        free(e);
        e = NULL;
    }
    queue_put(q, e);
}

void readings_put(struct queue *q, struct sums *sums, const data_set_t *set,
                  const value_list_t *list)
{
    struct reading r = {
        .host = list->host,
        .plugin = list->plugin,
        .plugin_instance = list->plugin_instance,
        .type = list->type,
        .type_instance = list->type_instance,
    };
    struct meta meta;
    take_meta(&meta, list->meta, &r);
    for (size_t i = 0; i < set->ds_num && i < list->values_len; i++)
        put(q, sums, &r, &set->ds[i], list->values[i], CDTIME_T_TO_NS(list->time));
    drop_meta(&meta);
}

/* ---- notifications ------------------------------------------------------------------------- */

static enum batch_mark_severity severity_of(int severity)
{
    switch (severity) {
    case NOTIF_FAILURE:
        return BATCH_MARK_FAILURE;
    case NOTIF_WARNING:
        return BATCH_MARK_WARNING;
    case NOTIF_OKAY:
        return BATCH_MARK_OKAY;
    default:
        return BATCH_MARK_NEUTRAL;
    }
}

/* "PLUGIN-INSTANCE/TYPE-INSTANCE", of which any part may be missing. */
static void name_source(const notification_t *n, char *out, size_t size)
{
    bool type = n->type[0] || n->type_instance[0];
    snprintf(out, size, "%s%s%s%s%s%s%s", n->plugin[0] ? n->plugin : "collectd",
             n->plugin_instance[0] ? "-" : "", n->plugin_instance, type ? "/" : "", n->type,
             n->type[0] && n->type_instance[0] ? "-" : "", n->type_instance);
}

void readings_put_notification(struct queue *q, const notification_t *n)
{
    char title[4 * DATA_MAX_NAME_LEN + 16];
    name_source(n, title, sizeof title);
    queue_put(q, entry_mark(severity_of(n->severity), CDTIME_T_TO_NS(n->time), title, n->message,
                            n->host));
}

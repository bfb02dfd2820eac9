// SPDX-License-Identifier: Apache-2.0
#include "plugins/collectd/names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void make_valid(char *name)
{
    for (char *c = name; *c; c++)
        if (!isascii((unsigned char)*c) || (!isalnum((unsigned char)*c) && *c != '_'))
            *c = '_';
}

static void make_metric(const struct reading *r, char *out, size_t size)
{
    bool one = strcmp(r->plugin, r->type) == 0, named = strcmp(r->source, "value") != 0;
    snprintf(out, size, "collectd_%.128s%s%.128s%s%.128s%s", r->plugin, one ? "" : "_",
             one ? "" : r->type, named ? "_" : "", named ? r->source : "",
             r->counts ? "_total" : "");
    make_valid(out);
}

static void add_label(struct series_name *n, const char *prefix, const char *name,
                      const char *value)
{
    if (!value[0])
        return;
    char *to = n->labels[n->label_count].name;
    snprintf(to, NAME_BYTES_MAX, "%s%.128s", prefix, name);
    make_valid(to);
    n->labels[n->label_count++].value = value;
}

/* The plugin's name as a label's: not one that a series has anyway, not beginning with a digit. */
static void add_plugin_label(struct series_name *n, const char *plugin, const char *value)
{
    bool taken = strcmp(plugin, "host") == 0 || strcmp(plugin, "type") == 0 ||
                 strncmp(plugin, "meta_", 5) == 0 || plugin[0] == '_' ||
                 isdigit((unsigned char)plugin[0]);
    add_label(n, taken ? "plugin_" : "", plugin, value);
}

void series_name_make(const struct reading *r, struct series_name *out)
{
    make_metric(r, out->metric, sizeof out->metric);
    out->label_count = 0;
    add_label(out, "", "host", r->host);
    add_plugin_label(out, r->plugin, r->plugin_instance[0] ? r->plugin_instance : r->type_instance);
    if (r->plugin_instance[0])
        add_label(out, "", "type", r->type_instance);
    for (uint32_t i = 0; i < r->meta_count; i++)
        add_label(out, "meta_", r->meta[i].key, r->meta[i].value);
}

// SPDX-License-Identifier: Apache-2.0
/* What a value of collectd's is called as a series; docs/collectd.md has the rule and examples. It
 * is the one of Prometheus' collectd exporter, with `host` for its `instance`:
 *
 *   name    collectd_PLUGIN_TYPE_SOURCE, without TYPE where it is the plugin's name, without SOURCE
 *           where it is "value"; with _total where it counts
 *   labels  host; PLUGIN="plugin instance"; type="type instance", but PLUGIN="type instance" where
 *           there is no plugin instance; meta_KEY of meta data
 *
 * What may not stand in a name becomes "_". Any thread. */
#ifndef WEFT_PLUGINS_COLLECTD_NAMES_H
#define WEFT_PLUGINS_COLLECTD_NAMES_H

#include <stdbool.h>
#include <stdint.h>

enum { READING_META_MAX = 8, NAME_LABELS_MAX = 3 + READING_META_MAX, NAME_BYTES_MAX = 192 };

/* One data source of a value list. All texts end with NUL; "": none. */
struct reading {
    const char *host, *plugin, *plugin_instance, *type, *type_instance, *source;
    bool counts; /* COUNTER, DERIVE, ABSOLUTE */
    uint32_t meta_count;
    struct {
        const char *key, *value;
    } meta[READING_META_MAX];
};

struct series_name {
    char metric[3 * NAME_BYTES_MAX];
    uint32_t label_count;
    struct {
        char name[NAME_BYTES_MAX];
        const char *value; /* the reading's */
    } labels[NAME_LABELS_MAX];
};

void series_name_make(const struct reading *r, struct series_name *out);

#endif

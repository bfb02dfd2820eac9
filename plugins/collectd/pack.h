// SPDX-License-Identifier: Apache-2.0
/* Entries to a batch (lib/codec/batch.h). One thread at a time. */
#ifndef WEFT_PLUGINS_COLLECTD_PACK_H
#define WEFT_PLUGINS_COLLECTD_PACK_H

#include "lib/codec/batch.h"
#include "plugins/collectd/entry.h"

enum { PACK_ENTRIES_MAX = 8192, PACK_BYTES = 256 << 10 }; /* before compression */

struct pack {
    struct batch_builder *builder;
    uint32_t entries;
    uint32_t *metrics; /* index + 1 of the metric of this name, by string; 0: none yet */
    uint32_t metric_capacity;
};

/* False: no memory. */
bool pack_init(struct pack *p);
void pack_fini(struct pack *p);

/* Empty again. */
void pack_begin(struct pack *p);
bool pack_is_full(const struct pack *p);
/* Copies what it needs. */
void pack_add(struct pack *p, const struct entry *e);
/* How many values were dropped so far, as the series weft_collectd_dropped_total. */
void pack_add_dropped(struct pack *p, const char *host, uint64_t unix_ns, uint64_t dropped);
/* Appends the encoded batch. 0; -1: no memory. */
int pack_end(struct pack *p, struct buffer *out);

#endif

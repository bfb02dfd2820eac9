// SPDX-License-Identifier: Apache-2.0
#include "agent/process_identity.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *key;
    size_t offset;
} fields[] = {
    {"host.name", offsetof(struct process_identity, host)},
    {"service.name", offsetof(struct process_identity, service)},
    {"service.version", offsetof(struct process_identity, version)},
    {"service.instance.id", offsetof(struct process_identity, instance)},
    {"weft.cell", offsetof(struct process_identity, cell)},
};

static char *find(struct process_identity *identity, const char *key, size_t length)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strlen(fields[i].key) == length && memcmp(fields[i].key, key, length) == 0)
            return (char *)identity + fields[i].offset;
    return NULL;
}

bool process_identity_has(const char *key, size_t length)
{
    struct process_identity any;
    return find(&any, key, length) != NULL;
}

void process_identity_read(struct process_identity *identity, struct slab_reader *reader)
{
    struct slab_item_view item;
    uint32_t used;
    size_t length;
    const char *resource = slab_resource(reader, &used);
    memset(identity, 0, sizeof *identity);
    for (struct slab_walk w = slab_walk(resource, used); slab_item_next(&w, &item);) {
        const char *key = slab_name(reader, item.key, &length);
        char *field = key ? find(identity, key, length) : NULL;
        if (field && item.type == SLAB_ITEM_STRING && item.length < sizeof identity->host)
            memcpy(field, item.value, item.length);
    }
}

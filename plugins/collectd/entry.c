// SPDX-License-Identifier: Apache-2.0
#include "plugins/collectd/entry.h"

#include <stdlib.h>
#include <string.h>

enum { TEXTS_MAX = 1 + 2 * NAME_LABELS_MAX };

static struct entry *make(enum entry_kind kind, uint64_t unix_ns, const char *const *texts,
                          uint32_t count)
{
    size_t lengths[TEXTS_MAX], bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        bytes += lengths[i] = strlen(texts[i]) + 1;
    struct entry *e = malloc(sizeof *e + bytes);
    if (!e)
        return NULL;
    *e = (struct entry){.kind = kind, .unix_ns = unix_ns, .text_bytes = (uint32_t)bytes};
    char *at = e->text;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(at, texts[i], lengths[i]);
        at += lengths[i];
    }
    return e;
}

struct entry *entry_sample(const struct series_name *name, bool counts, uint64_t unix_ns,
                           double value)
{
    const char *texts[TEXTS_MAX];
    uint32_t count = 0;
    texts[count++] = name->metric;
    for (uint32_t i = 0; i < name->label_count; i++) {
        texts[count++] = name->labels[i].name;
        texts[count++] = name->labels[i].value;
    }
    struct entry *e = make(ENTRY_SAMPLE, unix_ns, texts, count);
    if (e) {
        e->counts = counts;
        e->value = value;
        e->label_count = name->label_count;
    }
    return e;
}

struct entry *entry_mark(enum batch_mark_severity severity, uint64_t unix_ns, const char *title,
                         const char *text, const char *host)
{
    struct entry *e = make(ENTRY_MARK, unix_ns, (const char *const[]){title, text, host}, 3);
    if (e)
        e->severity = severity;
    return e;
}

const char *entry_next_text(const char *text)
{
    return text + strlen(text) + 1;
}

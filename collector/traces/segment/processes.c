// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/segment/processes.h"

#include <string.h>

#include "collector/hash.h"

enum { CAPACITY_LEAST = 64 };

bool process_table_init(struct process_table *t)
{
    *t = (struct process_table){0};
    return string_table_init(&t->strings);
}

void process_table_fini(struct process_table *t)
{
    free(t->list);
    free(t->slots);
    string_table_fini(&t->strings);
    numbers_fini(&t->key);
    numbers_fini(&t->type);
    numbers_fini(&t->value);
    *t = (struct process_table){0};
}

static bool grow_table(struct process_table *t)
{
    uint32_t capacity = t->capacity ? t->capacity * 2 : CAPACITY_LEAST;
    struct process_entry *list = realloc(t->list, capacity * sizeof *list);
    if (!list)
        return false;
    t->list = list;
    size_t slot_count = hash_slots(capacity);
    uint32_t *slots = calloc(slot_count, sizeof *slots);
    if (!slots)
        return false;
    free(t->slots);
    t->slots = slots;
    t->slot_count = slot_count;
    t->capacity = capacity;
    for (uint32_t i = 0; i < t->count; i++) {
        size_t at = hash_bytes(list[i].uuid, sizeof list[i].uuid) & (slot_count - 1);
        while (slots[at])
            at = (at + 1) & (slot_count - 1);
        slots[at] = i + 1;
    }
    return true;
}

/* Whether what is told now is newer than what is known. A process that ended stays so. */
static bool is_newer(const struct process_entry *known, const struct batch_process_view *told)
{
    bool knew_end = known->state != PROCESS_ALIVE, tells_end = told->state != PROCESS_ALIVE;
    if (knew_end != tells_end)
        return tells_end;
    if (told->state_unix_ns != known->state_unix_ns)
        return told->state_unix_ns > known->state_unix_ns;
    return told->attribute_count > known->attribute_count &&
           known->attribute_count < PROCESS_ATTRIBUTES_MAX;
}

static bool set_attributes(struct process_table *t, struct process_entry *p,
                           const struct batch *batch, const struct batch_process_view *told)
{
    uint32_t count = told->attribute_count < PROCESS_ATTRIBUTES_MAX ? told->attribute_count
                                                                    : PROCESS_ATTRIBUTES_MAX;
    if (!numbers_reserve(&t->key, count) || !numbers_reserve(&t->type, count) ||
        !numbers_reserve(&t->value, count))
        return false;
    p->attribute_first = t->key.count;
    p->attribute_count = count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t from = told->attribute_first + i;
        uint8_t type = batch->resource.type[from];
        uint64_t value = batch->resource.value[from];
        if (type == VALUE_STRING || type == VALUE_BYTES)
            value = string_table_add(&t->strings, batch->strings[value]);
        numbers_add(&t->key,
                    string_table_add(&t->strings, batch->strings[batch->resource.key[from]]));
        numbers_add(&t->type, type);
        numbers_add(&t->value, value);
    }
    return !t->strings.failed;
}

static bool set_process(struct process_table *t, struct process_entry *p, const struct batch *batch,
                        const struct batch_process_view *told)
{
    const struct batch_str strings[PROCESS_STRINGS] = {
        [PROCESS_HOST] = told->host,         [PROCESS_SERVICE] = told->service,
        [PROCESS_VERSION] = told->version,   [PROCESS_CELL] = told->cell,
        [PROCESS_INSTANCE] = told->instance, [PROCESS_AGENT] = told->agent,
    };
    for (int i = 0; i < PROCESS_STRINGS; i++)
        p->strings[i] = string_table_add(&t->strings, strings[i]);
    p->pid = told->pid;
    p->state = told->state;
    p->start_unix_ns = told->start_unix_ns;
    p->state_unix_ns = told->state_unix_ns;
    return set_attributes(t, p, batch, told);
}

uint32_t process_table_add(struct process_table *t, const struct batch *batch, uint32_t process)
{
    const struct batch_process_view *told = &batch->processes[process];
    if (t->count == t->capacity && !grow_table(t))
        return UINT32_MAX;
    size_t at = hash_bytes(told->uuid, sizeof told->uuid) & (t->slot_count - 1);
    for (; t->slots[at]; at = (at + 1) & (t->slot_count - 1)) {
        uint32_t number = t->slots[at] - 1;
        struct process_entry *known = &t->list[number];
        if (memcmp(known->uuid, told->uuid, sizeof known->uuid) != 0)
            continue;
        return !is_newer(known, told) || set_process(t, known, batch, told) ? number : UINT32_MAX;
    }
    struct process_entry *p = &t->list[t->count];
    *p = (struct process_entry){0};
    memcpy(p->uuid, told->uuid, sizeof p->uuid);
    if (!set_process(t, p, batch, told))
        return UINT32_MAX;
    t->slots[at] = ++t->count;
    return t->count - 1;
}

/* ---- parts ------------------------------------------------------------------------------- */

enum part_column {
    PART_UUID_HI,
    PART_UUID_LO,
    PART_PID,
    PART_START,
    PART_STATE,
    PART_STATE_TIME,
    PART_ATTRIBUTES,
    PART_FIRST_STRING,
    PART_COLUMNS = PART_FIRST_STRING + PROCESS_STRINGS
};

struct part_writer {
    struct string_table strings;
    struct numbers columns[PART_COLUMNS], key, type, value;
    bool failed;
};

static void add(struct part_writer *w, struct numbers *to, uint64_t value)
{
    if (!numbers_add(to, value))
        w->failed = true;
}

/* A string of the table as one of the part. */
static uint64_t string(struct part_writer *w, const struct process_table *t, uint64_t number)
{
    return string_table_add(&w->strings, t->strings.list[number]);
}

static void add_process(struct part_writer *w, const struct process_table *t,
                        const struct process_entry *p)
{
    add(w, &w->columns[PART_UUID_HI], get_u64(p->uuid));
    add(w, &w->columns[PART_UUID_LO], get_u64(p->uuid + 8));
    add(w, &w->columns[PART_PID], p->pid);
    add(w, &w->columns[PART_START], p->start_unix_ns);
    add(w, &w->columns[PART_STATE], p->state);
    add(w, &w->columns[PART_STATE_TIME], p->state_unix_ns);
    add(w, &w->columns[PART_ATTRIBUTES], p->attribute_count);
    for (int i = 0; i < PROCESS_STRINGS; i++)
        add(w, &w->columns[PART_FIRST_STRING + i], string(w, t, p->strings[i]));
    for (size_t i = p->attribute_first; i < p->attribute_first + p->attribute_count; i++) {
        uint64_t type = t->type.values[i], value = t->value.values[i];
        bool is_string = type == VALUE_STRING || type == VALUE_BYTES;
        add(w, &w->key, string(w, t, t->key.values[i]));
        add(w, &w->type, type);
        add(w, &w->value, is_string ? string(w, t, value) : value);
    }
}

static void rank(const struct part_writer *w, struct numbers *list)
{
    for (size_t i = 0; i < list->count; i++)
        list->values[i] = w->strings.rank[list->values[i]];
}

static void put_part(struct part_writer *w, struct encoder *e, struct column *out)
{
    if (w->failed || w->strings.failed || !string_table_sort(&w->strings)) {
        out->failed = true;
        return;
    }
    for (int i = 0; i < PROCESS_STRINGS; i++)
        rank(w, &w->columns[PART_FIRST_STRING + i]);
    rank(w, &w->key);
    for (size_t i = 0; i < w->value.count; i++) {
        if (w->type.values[i] == VALUE_STRING || w->type.values[i] == VALUE_BYTES)
            w->value.values[i] = w->strings.rank[w->value.values[i]];
    }
    for (int i = 0; i < PART_COLUMNS; i++)
        table_put_numbers(e, w->columns[i].values, w->columns[i].count, out);
    table_put_numbers(e, w->key.values, w->key.count, out);
    table_put_numbers(e, w->type.values, w->type.count, out);
    table_put_numbers(e, w->value.values, w->value.count, out);
    table_put_strings(e, &w->strings, out);
}

void process_table_put(const struct process_table *t, uint32_t first, uint32_t count,
                       struct encoder *e, struct column *out)
{
    struct part_writer w = {.failed = false};
    if (!string_table_init(&w.strings)) {
        out->failed = true;
        return;
    }
    for (uint32_t i = first; i < first + count; i++)
        add_process(&w, t, &t->list[i]);
    put_part(&w, e, out);
    for (int i = 0; i < PART_COLUMNS; i++)
        numbers_fini(&w.columns[i]);
    numbers_fini(&w.key);
    numbers_fini(&w.type);
    numbers_fini(&w.value);
    string_table_fini(&w.strings);
}

/* ---- reading ----------------------------------------------------------------------------- */

static int fill_processes(const uint64_t *const column[PART_COLUMNS], struct process_part *part)
{
    for (uint32_t i = 0; i < part->count; i++) {
        struct batch_process_view *p = &part->list[i];
        struct batch_str *strings[PROCESS_STRINGS] = {
            [PROCESS_HOST] = &p->host,         [PROCESS_SERVICE] = &p->service,
            [PROCESS_VERSION] = &p->version,   [PROCESS_CELL] = &p->cell,
            [PROCESS_INSTANCE] = &p->instance, [PROCESS_AGENT] = &p->agent,
        };
        put_u64(p->uuid, column[PART_UUID_HI][i]);
        put_u64(p->uuid + 8, column[PART_UUID_LO][i]);
        p->pid = (uint32_t)column[PART_PID][i];
        p->start_unix_ns = column[PART_START][i];
        p->state_unix_ns = column[PART_STATE_TIME][i];
        if (column[PART_STATE][i] > PROCESS_DIED || column[PART_PID][i] > UINT32_MAX)
            return SEGMENT_EDAMAGED;
        p->state = (enum process_state)column[PART_STATE][i];
        for (int k = 0; k < PROCESS_STRINGS; k++) {
            uint64_t string = column[PART_FIRST_STRING + k][i];
            if (string >= part->string_count)
                return SEGMENT_EDAMAGED;
            *strings[k] = part->strings[string];
        }
    }
    return SEGMENT_OK;
}

/* Where each process' attributes begin, and how many there are. */
static int place_attributes(struct process_part *part, const uint64_t *counts)
{
    uint32_t total = 0; /* 64 processes have not so many */
    for (uint32_t i = 0; i < part->count; i++) {
        if (counts[i] > PROCESS_ATTRIBUTES_MAX)
            return SEGMENT_EDAMAGED;
        part->list[i].attribute_first = total;
        part->list[i].attribute_count = (uint32_t)counts[i];
        total += (uint32_t)counts[i];
    }
    part->resource.count = total;
    return SEGMENT_OK;
}

static int fill_resource(struct process_part *part, struct arena *arena, const uint64_t *key,
                         const uint64_t *type, const uint64_t *value)
{
    uint32_t count = part->resource.count;
    uint32_t *keys = arena_alloc(arena, count * sizeof *keys);
    uint8_t *types = arena_alloc(arena, count);
    if (!keys || !types)
        return SEGMENT_ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        bool is_string = type[i] == VALUE_STRING || type[i] == VALUE_BYTES;
        if (key[i] >= part->string_count || type[i] >= VALUE_TYPES ||
            (is_string && value[i] >= part->string_count))
            return SEGMENT_EDAMAGED;
        keys[i] = (uint32_t)key[i];
        types[i] = (uint8_t)type[i];
    }
    part->resource.key = keys;
    part->resource.type = types;
    part->resource.value = value;
    return SEGMENT_OK;
}

int process_part_get(const uint8_t *bytes, size_t length, uint32_t count, struct arena *arena,
                     struct process_part *part)
{
    struct table_reader r = {{bytes, bytes + length, false}, arena, SEGMENT_OK};
    const uint64_t *column[PART_COLUMNS], *key, *type, *value;
    *part = (struct process_part){.count = count};
    part->list = arena_calloc(arena, count, sizeof *part->list);
    if (!part->list)
        return SEGMENT_ENOMEM;
    for (int i = 0; i < PART_COLUMNS; i++)
        column[i] = table_get_numbers(&r, count);
    if (!r.error)
        r.error = place_attributes(part, column[PART_ATTRIBUTES]);
    key = table_get_numbers(&r, part->resource.count);
    type = table_get_numbers(&r, part->resource.count);
    value = table_get_numbers(&r, part->resource.count);
    part->strings = table_get_strings(&r, &part->string_count);
    if (!r.error)
        r.error = fill_processes(column, part);
    if (!r.error)
        r.error = fill_resource(part, arena, key, type, value);
    return r.error;
}

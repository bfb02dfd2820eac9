// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/segment/roster.h"

#include <string.h>

#include "collector/hash.h"

enum { CAPACITY_LEAST = 256, SLOTS = 4 * SEGMENT_NAMES_MAX };

bool roster_init(struct roster *r)
{
    *r = (struct roster){0};
    r->operations = malloc(SEGMENT_NAMES_MAX * sizeof *r->operations);
    r->operation_slots = calloc(SLOTS, sizeof *r->operation_slots);
    bool strings = string_table_init(&r->strings);
    if (r->operations && r->operation_slots && strings)
        return true;
    roster_fini(r);
    return false;
}

void roster_fini(struct roster *r)
{
    free(r->services);
    free(r->operations);
    free(r->service_of);
    free(r->operation_slots);
    free(r->seen);
    free(r->pairs);
    if (r->strings.list)
        string_table_fini(&r->strings);
    *r = (struct roster){0};
}

/* ---- services ---------------------------------------------------------------------------- */

static bool reserve_service_of(struct roster *r, uint32_t string)
{
    if (string < r->service_of_capacity)
        return true;
    size_t capacity = r->service_of_capacity ? r->service_of_capacity : CAPACITY_LEAST;
    while (capacity <= string)
        capacity *= 2;
    uint32_t *grown = realloc(r->service_of, capacity * sizeof *grown);
    if (!grown)
        return false;
    memset(grown + r->service_of_capacity, 0, (capacity - r->service_of_capacity) * sizeof *grown);
    r->service_of = grown;
    r->service_of_capacity = capacity;
    return true;
}

/* The service's number + 1; 0: beyond those that are told, or no memory (r->strings.failed). */
static uint32_t find_service(struct roster *r, struct batch_str name)
{
    if (r->service_count == SEGMENT_NAMES_MAX)
        return 0;
    uint32_t string = string_table_add(&r->strings, name);
    if (!reserve_service_of(r, string)) {
        r->strings.failed = true;
        return 0;
    }
    if (r->service_of[string])
        return r->service_of[string];
    if (r->service_count == r->service_capacity) {
        uint32_t capacity = r->service_capacity ? r->service_capacity * 2 : CAPACITY_LEAST;
        struct service_sums *grown = realloc(r->services, capacity * sizeof *grown);
        if (!grown) {
            r->strings.failed = true;
            return 0;
        }
        r->services = grown;
        r->service_capacity = capacity;
    }
    r->services[r->service_count] = (struct service_sums){.name = string};
    return r->service_of[string] = ++r->service_count;
}

/* ---- operations -------------------------------------------------------------------------- */

static void add_operation(struct roster *r, uint32_t service, struct batch_str name)
{
    if (r->operation_count == SEGMENT_NAMES_MAX)
        return;
    struct name_pair pair = {service, string_table_add(&r->strings, name)};
    size_t at = hash_words(pair.service, pair.name) & (SLOTS - 1);
    for (; r->operation_slots[at]; at = (at + 1) & (SLOTS - 1)) {
        const struct name_pair *known = &r->operations[r->operation_slots[at] - 1];
        if (known->service == pair.service && known->name == pair.name)
            return;
    }
    r->operations[r->operation_count] = pair;
    r->operation_slots[at] = ++r->operation_count;
}

/* Whether the pair is new in this group. */
static bool pair_is_new(struct roster *r, size_t slots, uint32_t *count, struct name_pair pair)
{
    size_t at = hash_words(pair.service, pair.name) & (slots - 1);
    for (; r->seen[at]; at = (at + 1) & (slots - 1)) {
        const struct name_pair *known = &r->pairs[r->seen[at] - 1];
        if (known->service == pair.service && known->name == pair.name)
            return false;
    }
    r->pairs[*count] = pair;
    r->seen[at] = ++*count;
    return true;
}

static bool reserve_seen(struct roster *r, uint32_t rows, size_t *slots)
{
    *slots = hash_slots(rows);
    if (rows > r->seen_capacity) {
        free(r->seen);
        free(r->pairs);
        r->seen = malloc(*slots * sizeof *r->seen);
        r->pairs = malloc(rows * sizeof *r->pairs);
        r->seen_capacity = r->seen && r->pairs ? rows : 0;
    }
    if (r->seen_capacity == 0)
        return false;
    memset(r->seen, 0, *slots * sizeof *r->seen);
    return true;
}

static void add_row(struct roster *r, const struct builder *b, uint32_t row, uint32_t service)
{
    struct service_sums *sums = &r->services[service];
    sums->spans++;
    sums->errors += b->row[ROW_STATUS][row] == SPAN_ERROR;
    sums->died += b->row[ROW_STATUS][row] == SPAN_DIED;
}

bool roster_add(struct roster *r, const struct builder *b, const struct process_table *processes)
{
    size_t slots;
    uint32_t pairs = 0;
    uint32_t *service = malloc((b->processes.count + 1) * sizeof *service);
    if (!service || !reserve_seen(r, b->rows, &slots)) {
        free(service);
        return false;
    }
    for (size_t i = 0; i < b->processes.count; i++) {
        const struct process_entry *p = &processes->list[b->processes.values[i]];
        service[i] = find_service(r, processes->strings.list[p->strings[PROCESS_SERVICE]]);
    }
    struct name_pair last = {0};
    for (uint32_t row = 0; row < b->rows && !r->strings.failed; row++) {
        struct name_pair pair = {service[b->row[ROW_PROCESS][row]],
                                 (uint32_t)b->row[ROW_NAME][row]};
        if (pair.service == 0)
            continue;
        add_row(r, b, row, pair.service - 1);
        if (pair.service == last.service && pair.name == last.name)
            continue;
        last = pair;
        if (pair_is_new(r, slots, &pairs, pair))
            add_operation(r, pair.service - 1, b->strings.list[pair.name]);
    }
    free(service);
    return !r->strings.failed;
}

/* ---- bytes ------------------------------------------------------------------------------- */

enum service_column { SERVICE_NAME, SERVICE_SPANS, SERVICE_ERRORS, SERVICE_DIED, SERVICE_COLUMNS };

/* Puts the table's strings anew, only those that it has: in t, sorted. NULL: no memory. */
static uint64_t *own_strings(const struct roster *r, struct string_table *t, const uint32_t *string,
                             size_t stride, size_t count)
{
    uint64_t *own = string_table_init(t) ? malloc((count + 1) * sizeof *own) : NULL;
    for (size_t i = 0; own && i < count; i++) {
        uint32_t number = *(const uint32_t *)((const char *)string + i * stride);
        own[i] = string_table_add(t, r->strings.list[number]);
    }
    if (!own || t->failed || !string_table_sort(t)) {
        free(own);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        own[i] = t->rank[own[i]];
    return own;
}

void roster_put_services(struct roster *r, struct encoder *e, struct column *out)
{
    struct string_table t = {0};
    size_t count = r->service_count;
    uint64_t *column = own_strings(r, &t, &r->services[0].name, sizeof *r->services, count);
    if (!column) {
        out->failed = true;
    } else {
        table_put_numbers(e, column, count, out);
        for (int c = SERVICE_SPANS; c < SERVICE_COLUMNS; c++) {
            for (size_t i = 0; i < count; i++) {
                const struct service_sums *s = &r->services[i];
                column[i] = c == SERVICE_SPANS    ? s->spans
                            : c == SERVICE_ERRORS ? s->errors
                                                  : s->died;
            }
            table_put_numbers(e, column, count, out);
        }
        table_put_strings(e, &t, out);
    }
    free(column);
    string_table_fini(&t);
}

void roster_put_operations(struct roster *r, struct encoder *e, struct column *out)
{
    struct string_table t = {0};
    size_t count = r->operation_count;
    uint64_t *column = own_strings(r, &t, &r->operations[0].name, sizeof *r->operations, count);
    uint64_t *service = malloc((count + 1) * sizeof *service);
    if (!column || !service) {
        out->failed = true;
    } else {
        for (size_t i = 0; i < count; i++)
            service[i] = r->operations[i].service;
        table_put_numbers(e, service, count, out);
        table_put_numbers(e, column, count, out);
        table_put_strings(e, &t, out);
    }
    free(column);
    free(service);
    string_table_fini(&t);
}

/* A column of strings. */
static const struct batch_str *strings_of(struct table_reader *r, const uint64_t *column,
                                          uint32_t count, uint32_t *string_count)
{
    const struct batch_str *strings = table_get_strings(r, string_count);
    for (uint32_t i = 0; strings && i < count; i++) {
        if (column[i] >= *string_count) {
            r->error = SEGMENT_EDAMAGED;
            return NULL;
        }
    }
    return strings;
}

int roster_get_services(struct table_reader *r, uint32_t count, struct segment_service **services)
{
    const uint64_t *column[SERVICE_COLUMNS];
    uint32_t string_count;
    for (int c = 0; c < SERVICE_COLUMNS; c++)
        column[c] = table_get_numbers(r, count);
    const struct batch_str *strings = strings_of(r, column[SERVICE_NAME], count, &string_count);
    if (!strings)
        return r->error;
    struct segment_service *list = arena_alloc(r->arena, count * sizeof *list);
    if (!list)
        return SEGMENT_ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        list[i] =
            (struct segment_service){strings[column[SERVICE_NAME][i]], column[SERVICE_SPANS][i],
                                     column[SERVICE_ERRORS][i], column[SERVICE_DIED][i]};
    *services = list;
    return SEGMENT_OK;
}

int roster_get_operations(struct table_reader *r, uint32_t count, size_t service_count,
                          struct segment_operation **operations)
{
    uint32_t string_count;
    const uint64_t *service = table_get_below(r, count, service_count);
    const uint64_t *name = table_get_numbers(r, count);
    const struct batch_str *strings = strings_of(r, name, count, &string_count);
    if (!strings)
        return r->error;
    struct segment_operation *list = arena_alloc(r->arena, count * sizeof *list);
    if (!list)
        return SEGMENT_ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        list[i] = (struct segment_operation){(uint32_t)service[i], strings[name[i]]};
    *operations = list;
    return SEGMENT_OK;
}

// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"

static const struct files_kind kind = {"traces", "segment", "segment"};

struct catalog {
    struct files files;
    pthread_mutex_t writing; /* one at a time changes the directory */
    pthread_mutex_t lock;    /* all below */
    struct edition *current;
    uint64_t next_number;
    uint64_t aged_until_unix_ns;
};

/* ---- editions ---------------------------------------------------------------------------- */

static struct edition *edition_create(size_t count)
{
    struct edition *e = calloc(1, sizeof *e + count * sizeof e->entries[0]);
    if (e)
        atomic_init(&e->references, 1);
    return e;
}

static void entry_release(struct catalog_entry *entry)
{
    if (atomic_fetch_sub(&entry->references, 1) > 1)
        return;
    segment_close(&entry->segment);
    free(entry);
}

static void edition_add(struct edition *e, struct catalog_entry *entry)
{
    atomic_fetch_add(&entry->references, 1);
    e->entries[e->count++] = entry;
}

void catalog_release(struct catalog *c, struct edition **place)
{
    struct edition *e = *place;
    (void)c;
    *place = NULL;
    if (!e || atomic_fetch_sub(&e->references, 1) > 1)
        return;
    for (size_t i = 0; i < e->count; i++)
        entry_release(e->entries[i]);
    free(e);
}

struct edition *catalog_hold(struct catalog *c)
{
    pthread_mutex_lock(&c->lock);
    struct edition *e = c->current;
    atomic_fetch_add(&e->references, 1);
    pthread_mutex_unlock(&c->lock);
    return e;
}

static void publish(struct catalog *c, struct edition *fresh)
{
    pthread_mutex_lock(&c->lock);
    struct edition *old = c->current;
    c->current = fresh;
    pthread_mutex_unlock(&c->lock);
    catalog_release(c, &old);
}

bool edition_may_have(const struct edition *e, size_t count, struct trace_id id,
                      struct catalog_window window)
{
    uint64_t from =
        window.from_unix_ns > CATALOG_NEAR_NS ? window.from_unix_ns - CATALOG_NEAR_NS : 0;
    uint64_t to = window.to_unix_ns < UINT64_MAX - CATALOG_NEAR_NS
                      ? window.to_unix_ns + CATALOG_NEAR_NS
                      : UINT64_MAX;
    for (size_t i = count; i-- > 0;) {
        const struct segment_summary *s = e->entries[i]->summary;
        if (s->end_max_unix_ns >= from && s->start_min_unix_ns <= to &&
            segment_may_have(e->entries[i]->segment, id))
            return true;
    }
    return false;
}

/* ---- damage ------------------------------------------------------------------------------ */

void catalog_note_damage(struct catalog *c)
{
    char why[FILES_WHY_MAX];
    struct edition *e = catalog_hold(c);
    for (size_t i = 0; i < e->count; i++) {
        struct catalog_entry *entry = e->entries[i];
        if (!segment_damage(entry->segment, why, sizeof why))
            continue;
        if (atomic_exchange(&entry->damage_told, true))
            continue;
        files_remember_damage(&c->files, entry->name, why);
        LOG_ERROR("traces %s: %s: %s; the rest of it is used", c->files.path, entry->name, why);
    }
    catalog_release(c, &e);
}

struct files_damage *catalog_damaged(struct catalog *c, size_t *count)
{
    catalog_note_damage(c);
    return files_damaged(&c->files, count);
}

/* ---- opening ----------------------------------------------------------------------------- */

struct found { /* files in the directory */
    struct catalog *catalog;
    struct catalog_entry **entries;
    size_t count, capacity;
};

static int add_found(struct found *f, struct catalog_entry *entry)
{
    if (f->count == f->capacity) {
        size_t more = f->capacity ? f->capacity * 2 : 64;
        struct catalog_entry **bigger =
            realloc((void *)f->entries, more * sizeof(struct catalog_entry *));
        if (!bigger)
            return -ENOMEM;
        f->entries = bigger;
        f->capacity = more;
    }
    f->entries[f->count++] = entry;
    return 0;
}

static struct catalog_entry *entry_create(struct segment *segment, const char *name)
{
    struct catalog_entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        return NULL;
    entry->segment = segment;
    entry->summary = segment_summary(segment);
    snprintf(entry->name, sizeof entry->name, "%s", name);
    return entry;
}

/* 0 also where the file was set aside. */
static int open_file(void *context, const char *name, uint64_t first, uint64_t last)
{
    struct found *f = context;
    struct catalog *c = f->catalog;
    char why[FILES_WHY_MAX];
    int error = 0;
    int fd = openat(c->files.directory, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct segment *segment = segment_open(fd, &error, why, sizeof why);
    if (!segment)
        close(fd);
    if (!segment && error == SEGMENT_EDAMAGED) {
        files_set_aside(&c->files, name, why);
        return 0;
    }
    if (!segment) {
        LOG_ERROR("traces %s: %s: %s", c->files.path, name, why);
        return error == SEGMENT_ENOMEM ? -ENOMEM : error == SEGMENT_EVERSION ? -EPROTO : -EIO;
    }
    const struct segment_summary *s = segment_summary(segment);
    struct catalog_entry *entry = entry_create(segment, name);
    if (!entry || add_found(f, entry) != 0) {
        segment_close(&segment);
        free(entry);
        return -ENOMEM;
    }
    if (s->first != first || s->last != last) {
        files_set_aside(&c->files, name, "its footer has other numbers than its name");
        f->count--;
        segment_close(&entry->segment);
        free(entry);
    }
    return 0;
}

/* By first number; of those that begin alike the one that reaches further first. */
static int by_number(const void *left, const void *right)
{
    const struct segment_summary *a = (*(struct catalog_entry *const *)left)->summary;
    const struct segment_summary *b = (*(struct catalog_entry *const *)right)->summary;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    return (a->last < b->last) - (a->last > b->last);
}

/* Parts whose merged segment is there too are what a crash left. */
static int make_edition(struct catalog *c, struct found *f)
{
    if (f->count > 0)
        qsort((void *)f->entries, f->count, sizeof(struct catalog_entry *), by_number);
    c->current = edition_create(f->count);
    if (!c->current)
        return -ENOMEM;
    uint64_t covered = 0;
    for (size_t i = 0; i < f->count; i++) {
        struct catalog_entry *entry = f->entries[i];
        if (entry->summary->last > covered) {
            covered = entry->summary->last;
            edition_add(c->current, entry);
            continue;
        }
        unlinkat(c->files.directory, entry->name, 0);
        segment_close(&entry->segment);
        free(entry);
    }
    c->next_number = covered + 1;
    return 0;
}

static int fill(struct catalog *c)
{
    struct found f = {.catalog = c};
    int error = files_read(&c->files, open_file, &f);
    if (error == 0)
        error = make_edition(c, &f);
    for (size_t i = 0; error != 0 && i < f.count; i++) {
        segment_close(&f.entries[i]->segment);
        free(f.entries[i]);
    }
    free((void *)f.entries);
    return error;
}

struct catalog *catalog_open(const char *directory, char *why, size_t why_size)
{
    struct catalog *c = calloc(1, sizeof *c);
    if (!c) {
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->writing, NULL);
    int error = files_open(&c->files, &kind, directory);
    if (error == 0)
        error = fill(c);
    if (error == 0)
        return c;
    files_explain(&c->files, error, why, why_size);
    catalog_close(&c);
    return NULL;
}

void catalog_close(struct catalog **place)
{
    struct catalog *c = *place;
    if (!c)
        return;
    catalog_release(c, &c->current);
    files_close(&c->files);
    pthread_mutex_destroy(&c->lock);
    pthread_mutex_destroy(&c->writing);
    free(c);
    *place = NULL;
}

/* ---- changing ---------------------------------------------------------------------------- */

int catalog_create_file(struct catalog *c, uint64_t first, uint64_t last)
{
    return files_create(&c->files, first, last);
}

void catalog_remove_file(struct catalog *c, uint64_t first, uint64_t last)
{
    files_discard(&c->files, first, last);
}

/* The list with `entry` in the place of those whose numbers it has. */
static struct edition *edition_with(const struct edition *old, struct catalog_entry *entry)
{
    struct edition *fresh = edition_create(old->count + 1);
    if (!fresh)
        return NULL;
    const struct segment_summary *s = entry->summary;
    bool placed = false;
    for (size_t i = 0; i < old->count; i++) {
        const struct segment_summary *other = old->entries[i]->summary;
        if (other->first >= s->first && other->last <= s->last)
            continue;
        if (!placed && other->first > s->first) {
            edition_add(fresh, entry);
            placed = true;
        }
        edition_add(fresh, old->entries[i]);
    }
    if (!placed)
        edition_add(fresh, entry);
    return fresh;
}

/* Parts that are merged now: their files are not needed any more. */
static void unlink_parts(struct catalog *c, const struct edition *old,
                         const struct segment_summary *s)
{
    for (size_t i = 0; i < old->count; i++) {
        const struct segment_summary *other = old->entries[i]->summary;
        if (other->first < s->first || other->last > s->last)
            continue;
        int error = files_delete(&c->files, old->entries[i]->name);
        if (error != 0)
            LOG_WARN("traces %s: %s cannot be deleted: %s", c->files.path, old->entries[i]->name,
                     strerror(-error));
    }
}

static int install(struct catalog *c, int fd, uint64_t first, uint64_t last,
                   struct catalog_entry **entry, struct edition **fresh)
{
    char name[FILES_NAME_MAX], why[FILES_WHY_MAX];
    int error = 0;
    files_name(&c->files, first, last, name);
    struct segment *segment = segment_open(fd, &error, why, sizeof why);
    if (!segment) {
        LOG_ERROR("traces %s: %s was written and cannot be read: %s", c->files.path, name, why);
        close(fd);
        return error == SEGMENT_ENOMEM ? -ENOMEM : -EIO;
    }
    *entry = entry_create(segment, name);
    if (!*entry) {
        segment_close(&segment);
        return -ENOMEM;
    }
    *fresh = edition_with(c->current, *entry);
    if (!*fresh) {
        segment_close(&segment);
        free(*entry);
        return -ENOMEM;
    }
    error = files_install(&c->files, fd, first, last);
    if (error != 0)
        catalog_release(c, fresh);
    return error;
}

static int install_and_publish(struct catalog *c, int fd, uint64_t first, uint64_t last,
                               void (*swap)(void *context, struct edition *fresh), void *context)
{
    struct catalog_entry *entry = NULL;
    struct edition *fresh = NULL;
    int error = install(c, fd, first, last, &entry, &fresh);
    if (error != 0) {
        catalog_remove_file(c, first, last);
        return error;
    }
    struct edition *old = catalog_hold(c);
    pthread_mutex_lock(&c->lock);
    if (last >= c->next_number)
        c->next_number = last + 1;
    pthread_mutex_unlock(&c->lock);
    if (swap)
        swap(context, fresh);
    else
        publish(c, fresh);
    unlink_parts(c, old, entry->summary);
    catalog_release(c, &old);
    return 0;
}

int catalog_install(struct catalog *c, int fd, uint64_t first, uint64_t last,
                    void (*swap)(void *context, struct edition *fresh), void *context)
{
    pthread_mutex_lock(&c->writing);
    int error = install_and_publish(c, fd, first, last, swap, context);
    pthread_mutex_unlock(&c->writing);
    return error;
}

void catalog_publish(struct catalog *c, struct edition *fresh)
{
    publish(c, fresh);
}

static int remove_oldest(struct catalog *c)
{
    struct edition *old = catalog_hold(c);
    if (old->count < 2) {
        catalog_release(c, &old);
        return -ENOENT;
    }
    struct catalog_entry *oldest = old->entries[0];
    struct edition *fresh = edition_create(old->count - 1);
    int error = fresh ? 0 : -ENOMEM;
    if (error == 0)
        error = files_delete(&c->files, oldest->name);
    if (error == -ENOENT)
        error = 0;
    if (error == 0) {
        for (size_t i = 1; i < old->count; i++)
            edition_add(fresh, old->entries[i]);
        pthread_mutex_lock(&c->lock);
        if (oldest->summary->end_max_unix_ns > c->aged_until_unix_ns)
            c->aged_until_unix_ns = oldest->summary->end_max_unix_ns;
        pthread_mutex_unlock(&c->lock);
        publish(c, fresh);
    } else {
        free(fresh);
    }
    catalog_release(c, &old);
    return error;
}

int catalog_remove_oldest(struct catalog *c)
{
    pthread_mutex_lock(&c->writing);
    int error = remove_oldest(c);
    pthread_mutex_unlock(&c->writing);
    return error;
}

/* ---- sums -------------------------------------------------------------------------------- */

uint64_t catalog_next_number(struct catalog *c)
{
    pthread_mutex_lock(&c->lock);
    uint64_t number = c->next_number;
    pthread_mutex_unlock(&c->lock);
    return number;
}

static void add_up(struct catalog_stats *out, const struct catalog_entry *entry)
{
    const struct segment_summary *s = entry->summary;
    out->segments++;
    out->spans += s->spans;
    out->traces += s->traces;
    out->bytes += s->file_bytes;
    out->resident_bytes += segment_resident_bytes(entry->segment);
    if (s->spans_before > out->total_spans)
        out->damaged_spans += s->spans_before - out->total_spans;
    out->total_spans = s->spans_before + s->accepted_spans;
    out->ledger_end = s->ledger_end;
    out->ledger_begun_unix_ns = s->ledger_begun_unix_ns;
    if (s->spans > 0 && (!out->oldest_unix_ns || s->start_min_unix_ns < out->oldest_unix_ns))
        out->oldest_unix_ns = s->start_min_unix_ns;
}

void catalog_stats(struct catalog *c, struct catalog_stats *out)
{
    struct edition *e = catalog_hold(c);
    *out = (struct catalog_stats){0};
    if (e->count > 0)
        out->aged_spans = out->total_spans = e->entries[0]->summary->spans_before;
    for (size_t i = 0; i < e->count; i++)
        add_up(out, e->entries[i]);
    catalog_release(c, &e);
    pthread_mutex_lock(&c->lock);
    out->aged_until_unix_ns = c->aged_until_unix_ns;
    pthread_mutex_unlock(&c->lock);
}

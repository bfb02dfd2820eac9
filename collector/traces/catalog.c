// SPDX-License-Identifier: Apache-2.0
#include "collector/traces/catalog.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"

struct catalog {
    char *path;
    int directory;           /* flock'ed */
    pthread_mutex_t writing; /* one at a time changes the directory */
    pthread_mutex_t lock;    /* all below */
    struct edition *current;
    uint64_t next_number;
    uint64_t aged_until_unix_ns;
    struct catalog_damage *damaged;
    size_t damaged_count;
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

/* ---- names ------------------------------------------------------------------------------- */

static void name_of(uint64_t first, uint64_t last, const char *suffix, char name[CATALOG_NAME_MAX])
{
    snprintf(name, CATALOG_NAME_MAX, "%020llu-%020llu.segment%s", (unsigned long long)first,
             (unsigned long long)last, suffix);
}

/* "FIRST-LAST.segment" followed by `suffix` and nothing else. */
static bool parse_name(const char *name, const char *suffix, uint64_t *first, uint64_t *last)
{
    unsigned long long a, b;
    char again[CATALOG_NAME_MAX];
    if (sscanf(name, "%20llu-%20llu.segment", &a, &b) != 2 || a > b)
        return false;
    name_of(a, b, suffix, again);
    *first = a;
    *last = b;
    return strcmp(name, again) == 0;
}

/* ---- damage ------------------------------------------------------------------------------ */

/* Under the lock, or before anybody else is there. */
static void remember_damage(struct catalog *c, const char *name, const char *why)
{
    struct catalog_damage *bigger =
        realloc(c->damaged, (c->damaged_count + 1) * sizeof *c->damaged);
    if (!bigger)
        return;
    c->damaged = bigger;
    struct catalog_damage *d = &c->damaged[c->damaged_count++];
    *d = (struct catalog_damage){0};
    snprintf(d->name, sizeof d->name, "%s", name);
    snprintf(d->why, sizeof d->why, "%s", why);
}

static void set_aside(struct catalog *c, const char *name, const char *why)
{
    char aside[CATALOG_NAME_MAX + 16];
    snprintf(aside, sizeof aside, "%s.damaged", name);
    if (renameat(c->directory, name, c->directory, aside) != 0)
        LOG_WARN("traces %s: %s cannot be renamed: %s", c->path, name, strerror(errno));
    LOG_ERROR("traces %s: %s is damaged and was set aside as %s: %s", c->path, name, aside, why);
    remember_damage(c, aside, why);
}

void catalog_note_damage(struct catalog *c)
{
    char why[CATALOG_WHY_MAX];
    struct edition *e = catalog_hold(c);
    for (size_t i = 0; i < e->count; i++) {
        struct catalog_entry *entry = e->entries[i];
        if (!segment_damage(entry->segment, why, sizeof why))
            continue;
        pthread_mutex_lock(&c->lock);
        bool news = !entry->damage_told;
        entry->damage_told = true;
        if (news)
            remember_damage(c, entry->name, why);
        pthread_mutex_unlock(&c->lock);
        if (news)
            LOG_ERROR("traces %s: %s: %s; the rest of it is used", c->path, entry->name, why);
    }
    catalog_release(c, &e);
}

struct catalog_damage *catalog_damaged(struct catalog *c, size_t *count)
{
    catalog_note_damage(c);
    pthread_mutex_lock(&c->lock);
    *count = c->damaged_count;
    struct catalog_damage *copy = *count ? malloc(*count * sizeof *copy) : NULL;
    if (copy)
        memcpy(copy, c->damaged, *count * sizeof *copy);
    else
        *count = 0;
    pthread_mutex_unlock(&c->lock);
    return copy;
}

/* ---- opening ----------------------------------------------------------------------------- */

struct found { /* files in the directory */
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
static int open_file(struct catalog *c, struct found *f, const char *name, uint64_t first,
                     uint64_t last)
{
    char why[CATALOG_WHY_MAX];
    int error = 0;
    int fd = openat(c->directory, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct segment *segment = segment_open(fd, &error, why, sizeof why);
    if (!segment)
        close(fd);
    if (!segment && error == SEGMENT_EDAMAGED) {
        set_aside(c, name, why);
        return 0;
    }
    if (!segment) {
        LOG_ERROR("traces %s: %s: %s", c->path, name, why);
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
        set_aside(c, name, "its footer has other numbers than its name");
        f->count--;
        segment_close(&entry->segment);
        free(entry);
    }
    return 0;
}

static int read_directory(struct catalog *c, struct found *f)
{
    int fd = openat(c->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory)
        return -errno;
    int result = 0;
    struct dirent *d;
    while (result == 0 && (d = readdir(directory)) != NULL) {
        uint64_t first, last;
        if (parse_name(d->d_name, ".new", &first, &last))
            unlinkat(c->directory, d->d_name, 0);
        else if (parse_name(d->d_name, ".damaged", &first, &last))
            remember_damage(c, d->d_name, "it was set aside before this start");
        else if (parse_name(d->d_name, "", &first, &last))
            result = open_file(c, f, d->d_name, first, last);
    }
    closedir(directory);
    return result;
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
        unlinkat(c->directory, entry->name, 0);
        segment_close(&entry->segment);
        free(entry);
    }
    c->next_number = covered + 1;
    return 0;
}

static int open_directory(struct catalog *c)
{
    if (mkdir(c->path, 0700) != 0 && errno != EEXIST)
        return -errno;
    c->directory = open(c->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c->directory < 0)
        return -errno;
    return flock(c->directory, LOCK_EX | LOCK_NB) == 0 ? 0 : -EBUSY;
}

static int fill(struct catalog *c)
{
    struct found f = {0};
    int error = open_directory(c);
    if (error == 0)
        error = read_directory(c, &f);
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
    if (!c || !(c->path = strdup(directory))) {
        free(c);
        snprintf(why, why_size, "no memory");
        return NULL;
    }
    c->directory = -1;
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->writing, NULL);
    int error = fill(c);
    if (error == 0)
        return c;
    if (error == -EBUSY)
        snprintf(why, why_size, "traces %s: another process has it open", directory);
    else if (error == -EPROTO)
        snprintf(why, why_size,
                 "traces %s: a segment there was written by a newer weft-collector (see the log): "
                 "use that one, or another directory",
                 directory);
    else
        snprintf(why, why_size, "traces %s: %s", directory, strerror(-error));
    catalog_close(&c);
    return NULL;
}

void catalog_close(struct catalog **place)
{
    struct catalog *c = *place;
    if (!c)
        return;
    catalog_release(c, &c->current);
    if (c->directory >= 0)
        close(c->directory);
    pthread_mutex_destroy(&c->lock);
    pthread_mutex_destroy(&c->writing);
    free(c->damaged);
    free(c->path);
    free(c);
    *place = NULL;
}

/* ---- changing ---------------------------------------------------------------------------- */

int catalog_create_file(struct catalog *c, uint64_t first, uint64_t last)
{
    char name[CATALOG_NAME_MAX];
    name_of(first, last, ".new", name);
    int fd = openat(c->directory, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

void catalog_remove_file(struct catalog *c, uint64_t first, uint64_t last)
{
    char name[CATALOG_NAME_MAX];
    name_of(first, last, ".new", name);
    unlinkat(c->directory, name, 0);
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

static int make_durable(struct catalog *c, int fd, const char *from, const char *to)
{
    if (fsync(fd) != 0 || renameat(c->directory, from, c->directory, to) != 0)
        return -errno;
    return fsync(c->directory) == 0 ? 0 : -errno;
}

/* Parts that are merged now: their files are not needed any more. */
static void unlink_parts(struct catalog *c, const struct edition *old,
                         const struct segment_summary *s)
{
    for (size_t i = 0; i < old->count; i++) {
        const struct segment_summary *other = old->entries[i]->summary;
        if (other->first >= s->first && other->last <= s->last &&
            unlinkat(c->directory, old->entries[i]->name, 0) != 0)
            LOG_WARN("traces %s: %s cannot be deleted: %s", c->path, old->entries[i]->name,
                     strerror(errno));
    }
}

static int install(struct catalog *c, int fd, uint64_t first, uint64_t last,
                   struct catalog_entry **entry, struct edition **fresh)
{
    char from[CATALOG_NAME_MAX], to[CATALOG_NAME_MAX], why[CATALOG_WHY_MAX];
    int error = 0;
    name_of(first, last, ".new", from);
    name_of(first, last, "", to);
    struct segment *segment = segment_open(fd, &error, why, sizeof why);
    if (!segment) {
        LOG_ERROR("traces %s: %s was written and cannot be read: %s", c->path, from, why);
        close(fd);
        return error == SEGMENT_ENOMEM ? -ENOMEM : -EIO;
    }
    *entry = entry_create(segment, to);
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
    error = make_durable(c, fd, from, to);
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
    if (error == 0 && unlinkat(c->directory, oldest->name, 0) != 0 && errno != ENOENT)
        error = -errno;
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

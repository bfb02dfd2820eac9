// SPDX-License-Identifier: Apache-2.0
#include "collector/series/disk/tombstones.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "collector/bytes.h"

enum { VERSION = 1, HEADER_BYTES = 24, CHECKSUM_BYTES = 8 };
enum { FILE_BYTES_MAX = 64 << 20 };
static const char magic[8] = {'w', 'e', 'f', 't', 'g', 'o', 'n', 'e'};
static const char file_name[] = "tombstones", new_name[] = "tombstones.new";

struct tombstones *tombstones_hold(struct tombstones *t)
{
    atomic_fetch_add(&t->references, 1);
    return t;
}

void tombstones_release(struct tombstones **place)
{
    struct tombstones *t = *place;
    *place = NULL;
    if (!t || atomic_fetch_sub(&t->references, 1) > 1)
        return;
    for (size_t i = 0; i < t->count; i++)
        for (size_t m = 0; m < t->items[i].count; m++)
            regex_destroy((struct regex **)&t->items[i].matchers[m].regex);
    arena_fini(&t->arena);
    free(t->items);
    free(t);
}

static struct tombstones *create(size_t room)
{
    struct tombstones *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    atomic_init(&t->references, 1);
    arena_init(&t->arena, 1024);
    t->next_sequence = 1;
    t->items = calloc(room + 1, sizeof *t->items);
    if (!t->items)
        tombstones_release(&t);
    return t;
}

static int add_matcher(struct tombstones *t, struct matcher *to, const struct matcher *from)
{
    char why[128];
    *to = (struct matcher){.kind = from->kind};
    char *name = arena_copy(&t->arena, from->name.bytes, from->name.length);
    char *value = arena_copy(&t->arena, from->value.bytes, from->value.length);
    if (!name || !value)
        return -1;
    to->name = (struct batch_str){name, from->name.length};
    to->value = (struct batch_str){value, from->value.length};
    if (from->kind != MATCH_REGEX && from->kind != MATCH_NOT_REGEX)
        return 0;
    to->regex = regex_create(value, from->value.length, why, sizeof why);
    return to->regex ? 0 : -1;
}

/* A deep copy. The item counts as soon as it has matchers to be freed. */
static int add(struct tombstones *t, const struct tombstone *from)
{
    struct tombstone *to = &t->items[t->count];
    *to = *from;
    to->matchers = arena_calloc(&t->arena, from->count + 1, sizeof *to->matchers);
    if (!to->matchers)
        return -1;
    t->count++;
    for (size_t m = 0; m < from->count; m++)
        if (add_matcher(t, &to->matchers[m], &from->matchers[m]) != 0)
            return -1;
    if (t->next_sequence <= to->sequence)
        t->next_sequence = to->sequence + 1;
    return 0;
}

struct tombstones *tombstones_with(const struct tombstones *old,
                                   bool (*done)(const void *context, const struct tombstone *t),
                                   const void *context, const struct tombstone *more)
{
    struct tombstones *t = create((old ? old->count : 0) + 1);
    if (!t)
        return NULL;
    int error = 0;
    t->next_sequence = old ? old->next_sequence : 1;
    for (size_t i = 0; old && i < old->count && error == 0; i++)
        if (!done || !done(context, &old->items[i]))
            error = add(t, &old->items[i]);
    if (more && error == 0) {
        struct tombstone numbered = *more;
        numbered.sequence = t->next_sequence;
        error = add(t, &numbered);
    }
    if (error != 0)
        tombstones_release(&t);
    return t;
}

/* ---- the file ---------------------------------------------------------------------------- */

static void put_text(struct buffer *b, struct batch_str text)
{
    bytes_put_u32(b, text.length);
    buffer_append(b, text.bytes, text.length);
}

static void put(struct buffer *b, const struct tombstone *t)
{
    bytes_put_u64(b, t->sequence);
    bytes_put_u64(b, t->through);
    bytes_put_u64(b, t->ledger_end.segment);
    bytes_put_u64(b, t->ledger_end.offset);
    bytes_put_u64(b, (uint64_t)t->from_ms);
    bytes_put_u64(b, (uint64_t)t->to_ms);
    bytes_put_u32(b, (uint32_t)t->count);
    for (size_t m = 0; m < t->count; m++) {
        bytes_put_u32(b, t->matchers[m].kind);
        put_text(b, t->matchers[m].name);
        put_text(b, t->matchers[m].value);
    }
}

static int write_all(int fd, const struct buffer *b)
{
    for (size_t done = 0; done < b->length;) {
        ssize_t n = write(fd, b->data + done, b->length - done);
        if (n < 0 && errno != EINTR)
            return -errno;
        done += n > 0 ? (size_t)n : 0;
    }
    return fsync(fd) == 0 ? 0 : -errno;
}

int tombstones_save(int directory, const struct tombstones *t)
{
    struct buffer b = {0};
    buffer_append(&b, magic, sizeof magic);
    bytes_put_u32(&b, VERSION);
    bytes_put_u32(&b, (uint32_t)t->count);
    bytes_put_u64(&b, t->next_sequence);
    for (size_t i = 0; i < t->count; i++)
        put(&b, &t->items[i]);
    if (!b.failed)
        bytes_put_u64(&b, XXH3_64bits(b.data, b.length));
    int error = b.failed ? -ENOMEM : 0;
    int fd =
        error ? -1 : openat(directory, new_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (!error && fd < 0)
        error = -errno;
    if (!error)
        error = write_all(fd, &b);
    if (fd >= 0)
        close(fd);
    if (!error &&
        (renameat(directory, new_name, directory, file_name) != 0 || fsync(directory) != 0))
        error = -errno;
    buffer_fini(&b);
    return error;
}

static struct batch_str get_text(struct bytes_reader *r)
{
    uint32_t length = bytes_get_u32(r);
    const void *bytes = bytes_take(r, length);
    return bytes ? (struct batch_str){bytes, length} : (struct batch_str){"", 0};
}

static int get(struct bytes_reader *r, struct tombstones *t, struct matcher *matchers)
{
    struct tombstone one = {.sequence = bytes_get_u64(r), .through = bytes_get_u64(r)};
    one.ledger_end.segment = bytes_get_u64(r);
    one.ledger_end.offset = bytes_get_u64(r);
    one.from_ms = (int64_t)bytes_get_u64(r);
    one.to_ms = (int64_t)bytes_get_u64(r);
    one.count = bytes_get_u32(r);
    if (r->failed || one.count > MATCHERS_MAX)
        return -EBADMSG;
    one.matchers = matchers;
    for (size_t m = 0; m < one.count; m++) {
        matchers[m] = (struct matcher){.kind = (enum matcher_kind)bytes_get_u32(r)};
        matchers[m].name = get_text(r);
        matchers[m].value = get_text(r);
        if (r->failed || (unsigned)matchers[m].kind > MATCH_NOT_REGEX)
            return -EBADMSG;
    }
    return add(t, &one) == 0 ? 0 : -ENOMEM;
}

static int parse(const char *bytes, size_t length, struct tombstones **out)
{
    if (length < HEADER_BYTES + CHECKSUM_BYTES || memcmp(bytes, magic, sizeof magic) != 0)
        return -EBADMSG;
    struct bytes_reader r = bytes_reader_of(bytes + sizeof magic, length - sizeof magic);
    struct bytes_reader end = bytes_reader_of(bytes + length - CHECKSUM_BYTES, CHECKSUM_BYTES);
    if (bytes_get_u64(&end) != XXH3_64bits(bytes, length - CHECKSUM_BYTES) ||
        bytes_get_u32(&r) != VERSION)
        return -EBADMSG;
    uint32_t count = bytes_get_u32(&r);
    uint64_t next = bytes_get_u64(&r);
    if (count > bytes_left(&r) / 52)
        return -EBADMSG;
    struct matcher *matchers = calloc(MATCHERS_MAX, sizeof *matchers);
    struct tombstones *t = matchers ? create(count) : NULL;
    int error = t ? 0 : -ENOMEM;
    for (uint32_t i = 0; i < count && error == 0; i++)
        error = get(&r, t, matchers);
    if (error == 0 && bytes_left(&r) != CHECKSUM_BYTES)
        error = -EBADMSG;
    free(matchers);
    if (error != 0) {
        tombstones_release(&t);
        return error;
    }
    t->next_sequence = next > t->next_sequence ? next : t->next_sequence;
    *out = t;
    return 0;
}

static int read_whole(int fd, struct buffer *b)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return -errno;
    if (st.st_size > FILE_BYTES_MAX)
        return -EBADMSG;
    if (!buffer_reserve(b, (size_t)st.st_size + 1))
        return -ENOMEM;
    while (b->length < (size_t)st.st_size) {
        ssize_t n = read(fd, b->data + b->length, (size_t)st.st_size - b->length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EBADMSG;
        b->length += (size_t)n;
    }
    return 0;
}

int tombstones_load(int directory, struct tombstones **out, char *why, size_t why_size)
{
    struct buffer b = {0};
    int fd = openat(directory, file_name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT)
        return -errno;
    if (fd < 0) {
        *out = create(0);
        return *out ? 0 : -ENOMEM;
    }
    int error = read_whole(fd, &b);
    close(fd);
    if (error == 0)
        error = parse(b.data, b.length, out);
    if (error == -EBADMSG)
        snprintf(why, why_size,
                 "the file of deletions (%s) is damaged: what was deleted would "
                 "come back; restore it, or remove it to go on without",
                 file_name);
    buffer_fini(&b);
    return error;
}

/* ---- what they take away ----------------------------------------------------------------- */

bool tombstone_matches(const struct tombstone *t, const struct labels *labels)
{
    for (size_t m = 0; m < t->count; m++)
        if (!matcher_matches(&t->matchers[m], labels_get(labels, t->matchers[m].name)))
            return false;
    return true;
}

static bool is_in(int64_t unix_ms, const struct time_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (unix_ms >= ranges[i].from_ms && unix_ms <= ranges[i].to_ms)
            return true;
    return false;
}

void points_remove(struct points *p, size_t first, const struct time_range *ranges, size_t count)
{
    size_t kept = first;
    for (size_t i = first; i < p->count; i++) {
        if (is_in(p->unix_ms[i], ranges, count))
            continue;
        p->unix_ms[kept] = p->unix_ms[i];
        p->value[kept] = p->value[i];
        if (p->histogram)
            p->histogram[kept] = p->histogram[i];
        kept++;
    }
    p->count = kept;
}

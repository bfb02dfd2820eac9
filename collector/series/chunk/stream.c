// SPDX-License-Identifier: Apache-2.0
#include "collector/series/chunk/stream.h"

#include "collector/series/chunk/stream_bytes.h"
#include "lib/base/number.h"

enum { FRAGMENT_LEAST = 56, FRAGMENT_MOST = 248, FRAGMENTS_SMALL = 4, RECORD_MOST = 20 };
/* Whole numbers: bits 2 to 4 of a sample's first byte tell how many bytes the change of the step
 * takes; APART: eight bytes of a double, which changes nothing. */
enum { WHOLE_APART = 1 << 5 };
#define WHOLE_MOST 9007199254740992.0 /* 2^53 */

static const uint8_t whole_bytes[8] = {0, 1, 2, 3, 4, 5, 6, 8};

struct fragment {
    struct fragment *next;
    uint8_t bytes[];
};

static uint16_t fragment_bytes(unsigned i)
{
    return i < FRAGMENTS_SMALL ? FRAGMENT_LEAST : FRAGMENT_MOST;
}

void stream_init(struct stream *s, enum stream_kind kind)
{
    *s = (struct stream){.kind = (uint8_t)kind, .min_ms = INT64_MAX, .max_ms = INT64_MIN};
}

/* The next fragment becomes the last: one that a rewound stream has, or a new one. */
static int next_fragment(struct stream *s, struct arena *arena)
{
    struct fragment *f = s->last ? s->last->next : s->first;
    if (!f) {
        f = arena_alloc(arena, sizeof *f + fragment_bytes(s->fragments));
        if (!f)
            return -1;
        f->next = NULL;
        if (s->last)
            s->last->next = f;
        else
            s->first = f;
    }
    s->last = f;
    s->room = fragment_bytes(s->fragments++);
    return 0;
}

int stream_append(struct stream *s, struct arena *arena, const uint8_t *bytes, size_t length)
{
    struct fragment *last = s->last;
    uint16_t fragments = s->fragments, room = s->room;
    size_t total = length;
    while (length > 0) {
        if (s->room == 0 && next_fragment(s, arena) != 0) {
            s->last = last;
            s->fragments = fragments;
            s->room = room;
            return -1;
        }
        size_t n = length < s->room ? length : s->room;
        memcpy(s->last->bytes + fragment_bytes(s->fragments - 1U) - s->room, bytes, n);
        s->room = (uint16_t)(s->room - n);
        bytes += n;
        length -= n;
    }
    s->bytes += (uint32_t)total;
    return 0;
}

void stream_copy(const struct stream *s, uint8_t *to)
{
    size_t left = s->bytes;
    unsigned i = 0;
    for (const struct fragment *f = s->first; left > 0; f = f->next, i++) {
        size_t n = left < fragment_bytes(i) ? left : fragment_bytes(i);
        memcpy(to, f->bytes, n);
        to += n;
        left -= n;
    }
}

void stream_rewind(struct stream *s)
{
    struct stream *next = s->next;
    struct fragment *first = s->first;
    stream_init(s, s->kind);
    s->next = next;
    s->first = first;
}

/* ---- floats ------------------------------------------------------------------------------ */

static bool is_whole_number(double value)
{
    return value > -WHOLE_MOST && value < WHOLE_MOST &&
           number_bits((double)(int64_t)value) == number_bits(value);
}

bool stream_is_whole(double value)
{
    return is_whole_number(value) || sample_is_stale(value);
}

static size_t put_little(uint8_t *to, uint64_t value, size_t bytes)
{
    value = htole64(value);
    memcpy(to, &value, sizeof value);
    return bytes;
}

static unsigned whole_code(uint64_t change)
{
    unsigned bytes = change ? (71 - (unsigned)__builtin_clzll(change)) / 8 : 0;
    return bytes < 7 ? bytes : 7;
}

static size_t put_whole(struct stream *s, uint8_t *record, size_t at, double value)
{
    if (!is_whole_number(value)) {
        record[0] |= WHOLE_APART;
        return at + put_little(record + at, number_bits(value), 8);
    }
    int64_t step = (int64_t)value - (int64_t)s->value;
    uint64_t change = zigzag(step - s->value_step);
    unsigned code = whole_code(change);
    record[0] |= (uint8_t)(code << 2);
    s->value = (uint64_t)(int64_t)value;
    s->value_step = step;
    return at + put_little(record + at, change, whole_bytes[code]);
}

/* Bits 2 to 4: 0, the same; 7, eight bytes; else as many, from the byte that bits 5 to 7 tell. */
static size_t put_float(struct stream *s, uint8_t *record, size_t at, double value)
{
    uint64_t bits = number_bits(value), differ = bits ^ s->value;
    s->value = bits;
    if (differ == 0)
        return at;
    unsigned from = (unsigned)__builtin_ctzll(differ) / 8;
    unsigned bytes = (unsigned)(71 - __builtin_clzll(differ)) / 8 - from;
    if (bytes >= 7) {
        record[0] |= 7 << 2;
        return at + put_little(record + at, differ, 8);
    }
    record[0] |= (uint8_t)(bytes << 2 | from << 5);
    return at + put_little(record + at, differ >> 8 * from, bytes);
}

int stream_add(struct stream *s, struct arena *arena, int64_t unix_ms, double value)
{
    uint8_t record[RECORD_MOST + 8];
    struct stream before = *s;
    uint64_t change = time_change(s, unix_ms);
    unsigned code = time_code(change);
    record[0] = (uint8_t)code;
    size_t length = 1 + put_little(record + 1, change, time_bytes(code));
    length = s->kind == STREAM_WHOLE ? put_whole(s, record, length, value)
                                     : put_float(s, record, length, value);
    if (stream_append(s, arena, record, length) != 0) {
        s->value = before.value;
        s->value_step = before.value_step;
        return -1;
    }
    time_note(s, unix_ms);
    s->count++;
    return 0;
}

/* ---- reading ----------------------------------------------------------------------------- */

static double get_whole(struct column_reader *in, uint8_t head, int64_t *value, int64_t *step)
{
    if (head & WHOLE_APART)
        return column_get_double(in);
    *step += unzigzag(column_get_fixed(in, whole_bytes[head >> 2 & 7]));
    *value += *step;
    return (double)*value;
}

static double get_float(struct column_reader *in, uint8_t head, uint64_t *bits)
{
    unsigned bytes = head >> 2 & 7, from = bytes == 7 ? 0 : head >> 5;
    *bits ^= column_get_fixed(in, bytes == 7 ? 8 : bytes) << 8 * from;
    return number_of_bits(*bits);
}

int stream_get(enum stream_kind kind, const uint8_t *bytes, size_t length, int64_t from_ms,
               int64_t to_ms, struct points *out)
{
    struct column_reader in = {bytes, bytes + length, false};
    struct time_reader time = {0};
    int64_t whole = 0, step = 0;
    uint64_t bits = 0;
    if (kind == STREAM_HISTOGRAMS)
        return stream_get_histograms(&in, from_ms, to_ms, out);
    while (in.next < in.end) {
        uint8_t head = *in.next++;
        int64_t change = unzigzag(column_get_fixed(&in, time_bytes(head & TIME_BITS)));
        int64_t unix_ms = time_next(&time, change);
        double value = kind == STREAM_WHOLE ? get_whole(&in, head, &whole, &step)
                                            : get_float(&in, head, &bits);
        if (unix_ms > to_ms)
            break;
        if (unix_ms >= from_ms && points_add(out, unix_ms, value, NULL) != 0)
            return -1;
    }
    return 0;
}

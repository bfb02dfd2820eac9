// SPDX-License-Identifier: Apache-2.0
/* The shared-memory ABI between libweft (the owner) and the agent (the reader).
 *
 * One file per recording process, on tmpfs, in one directory per host (default /run/weft),
 * mode 0600. docs/format/slab.md describes it so that a stranger could write a reader.
 *
 *     0       +----------------------------+
 *             | file header     (owner)    |  identity of the process, sizes, drop counters
 *     4096    +----------------------------+
 *             | control page    (agent)    |  recording on/off, "swept for good"
 *     8192    +----------------------------+
 *             | reader words    (agent)    |  one cache line per thread slab: its ring's tail
 *     names   +----------------------------+
 *             | name table      (owner)    |  strings, numbered from 1 in order
 *     resource+----------------------------+
 *             | resource        (owner)    |  the process' attributes, as a span's payload
 *     stats   +----------------------------+
 *             | statistics                 |  lib/ring/slab_stats.h; size 0 in old files
 *     threads +----------------------------+
 *             | thread slab 0   (owner)    |  header | slots: open spans | ring: ended spans
 *             +----------------------------+
 *             | thread slab 1 …            |  appended as threads begin to record
 *
 * Numbers are in the host's byte order (`magic` tells); every offset and size is a multiple of
 * 8. Fields are only ever appended, into bytes that are zero today. All words that one side
 * writes while the other reads are atomics: a body first, then a release-store of the word that
 * publishes it; the other side acquire-loads that word. Positions in a ring count bytes from
 * the ring's beginning of time; the place in memory is the position modulo the ring's size.
 */
#ifndef WEFT_RING_SLAB_H
#define WEFT_RING_SLAB_H

#include <stdatomic.h>
#include <stdint.h>

#define SLAB_MAGIC   0x31424c5354464557u /* "WEFTSLB1" where little-endian */
#define SLAB_VERSION 1
#define SLAB_PAGE    4096u
#define SLAB_SUFFIX  ".slab"

/* The limits within which a reader believes sizes. */
#define SLAB_THREADS_MAX    4096u
#define SLAB_SLOTS_MAX      65536u
#define SLAB_SLOT_BYTES_MAX 65536u
#define SLAB_RING_BYTES_MIN 65536u
#define SLAB_RING_BYTES_MAX (256u << 20)
#define SLAB_NAMES_MAX      65536u
#define SLAB_NAME_BYTES_MAX 1024u

#define SLAB_LOSS_REASONS   16 /* lib/model/loss.h numbers them */

enum slab_clock {
    SLAB_CLOCK_MONOTONIC = 0, /* clock_gettime(CLOCK_MONOTONIC), nanoseconds */
    SLAB_CLOCK_TSC = 1,       /* x86 rdtsc */
    SLAB_CLOCK_CNTVCT = 2,    /* aarch64 cntvct_el0 */
};

struct slab_file {
    uint64_t magic;
    uint32_t version;
    uint32_t header_bytes;  /* sizeof(struct slab_file) as the owner knew it */
    uint32_t pid;           /* in the owner's pid namespace */
    uint32_t clock;         /* enum slab_clock of all `*_ticks` */
    uint64_t pid_namespace; /* inode of /proc/self/ns/pid */
    uint64_t start_time;    /* field 22 of /proc/PID/stat: with `pid` it names a process for good */
    uint8_t uuid[16];       /* random */
    uint64_t open_ticks, open_unix_ns; /* one moment on both clocks: when the file was made */

    uint32_t thread_capacity;        /* thread slabs that there may ever be */
    uint32_t slot_count, slot_bytes; /* per thread; slot_bytes includes the span's head */
    uint32_t ring_bytes;             /* per thread; a power of two */
    uint64_t readers_offset;
    uint64_t names_offset, names_bytes;
    uint64_t resource_offset, resource_bytes; /* resource_bytes: used */
    uint64_t stats_offset, stats_bytes;
    uint64_t threads_offset, thread_bytes; /* thread slab i begins at offset + i * bytes */
    uint8_t reserved[64];

    /* What changes while the process lives. */
    _Alignas(64) _Atomic uint64_t names_used; /* release after the bytes of a new name */
    _Atomic uint32_t thread_count;            /* release after a new slab is complete */
    uint32_t reserved2;
    _Atomic uint64_t lost[SLAB_LOSS_REASONS]; /* what was lost outside any thread slab */
};

enum slab_recording {
    SLAB_RECORDING_ON = 0,
    SLAB_RECORDING_OFF = 1,
    SLAB_RECORDING_RETIRED = 2, /* the agent is done with this file: record into a new one */
};

/* The agent writes, the owner reads. All zero is the right state where no agent ever ran. */
struct slab_control {
    _Atomic uint32_t recording; /* enum slab_recording */
    uint32_t reserved0;
    _Atomic uint64_t reaped; /* 1: what the dead process left in its slots is in the spool */
    /* A calibration of `clock`, under a sequence lock (odd while written): unix_ns of a tick is
     * base_unix_ns + (ticks - base_ticks) * ns_per_tick_q32 / 2^32. */
    _Atomic uint32_t clock_sequence;
    uint32_t reserved;
    _Atomic uint64_t base_ticks, base_unix_ns, ns_per_tick_q32;
    _Atomic uint64_t swept_ticks; /* the last sweep: the agent lives */
    /* Of each of the owner's loss counters, how much is told of in the agent's spool. */
    _Atomic uint64_t lost_reported[SLAB_LOSS_REASONS];
    uint8_t reserved2[3912];
};

/* One per thread slab, alone in its cache line. */
struct slab_reader_word {
    _Alignas(64) _Atomic uint64_t tail; /* all before it is safe in the agent's spool */
};

enum slab_thread_state { SLAB_THREAD_UNUSED = 0, SLAB_THREAD_LIVE = 1, SLAB_THREAD_EXITED = 2 };

/* Header of a thread slab. A slab of an exited thread is taken over by the next new one: its
 * ring and its slots go on as they are. */
struct slab_thread {
    _Atomic uint32_t state; /* enum slab_thread_state */
    _Atomic uint32_t tid;
    uint8_t reserved[56];
    _Alignas(64) _Atomic uint64_t head; /* of the ring; release after the record's bytes */
    uint8_t reserved2[56];
    _Alignas(64) _Atomic uint64_t lost[SLAB_LOSS_REASONS]; /* only this thread adds */
};

/* `state` of a slot: a generation, raised at every begin, and one of these. A reader that saw
 * the same word before and after its copy has a copy of one span. A thread takes its slots for
 * the first time in their order, so behind one whose first 8 bytes are 0 none is in use (but for
 * the moment in which a generation has come round to 0: a hint for snapshots). */
enum slab_slot_state {
    SLAB_SLOT_FREE = 0,
    SLAB_SLOT_OPEN = 1,
    SLAB_SLOT_ENDING = 2, /* its bytes are on their way into a ring: `ending_*` say which */
};
#define SLAB_SLOT_STATE(word)      ((word)&3u)
#define SLAB_SLOT_GENERATION(word) ((word) >> 2)

/* In a span's `flags`, beside those of lib/model/span.h: the payload holds more than attributes
 * of the span itself. Set before the first such item is committed. */
#define SLAB_SPAN_MORE 0x40

/* A span: the head of a slot, and of a record in a ring. `used` bytes of payload follow. */
struct slab_span {
    union {
        _Atomic uint32_t state; /* slot */
        uint32_t record_bytes;  /* ring: of head, payload and padding; a multiple of 8 */
    };
    _Atomic uint32_t used; /* release after the payload's bytes; a multiple of 8 */
    uint64_t span_id;
    uint64_t trace_hi, trace_lo;
    uint64_t parent_id; /* 0: none */
    uint64_t start_ticks;
    uint64_t end_ticks; /* slot: valid in state ENDING */
    uint32_t name;      /* name id; 0: none */
    uint8_t kind;
    uint8_t status;
    uint8_t flags;
    uint8_t dropped; /* attributes, events, links that had no room; stays at 255 */
};

struct slab_slot {
    struct slab_span span;
    _Atomic uint32_t ending_thread;   /* ENDING: index of the thread slab ... */
    uint32_t index;                   /* of this slot; the owner's note to itself */
    _Atomic uint64_t ending_position; /* ... and its ring's head once the record is published */
    char payload[];
};

/* A ring record that only fills the ring's end: a record never wraps. */
#define SLAB_RECORD_PAD 0x80000000u /* set in record_bytes; the other bits are its size */

/* Payload: items, each with this head, `length` bytes of value, padding to 8. */
enum slab_item_type {
    /* values of attributes: enum value_type in lib/model/span.h */
    SLAB_ITEM_STRING = 0,
    SLAB_ITEM_INT = 1,
    SLAB_ITEM_DOUBLE = 2,
    SLAB_ITEM_BOOL = 3, /* 8 bytes, 0 or 1 */
    SLAB_ITEM_BYTES = 4,
    SLAB_ITEM_EVENT = 16,          /* key: its name; value: its ticks */
    SLAB_ITEM_LINK = 17,           /* value: trace_hi, trace_lo, span_id */
    SLAB_ITEM_STATUS_MESSAGE = 18, /* value: text; the last one counts */
    SLAB_ITEM_TRACESTATE = 19,     /* value: text */
    SLAB_ITEM_PEER = 20,           /* value: struct slab_peer; the last one counts */
};
enum { SLAB_ITEM_NESTED = 1 }; /* an attribute of the event or link before it */
struct slab_item {
    uint8_t type;
    uint8_t flags;
    uint16_t length;
    uint32_t key; /* name id */
};
#define SLAB_ITEM_VALUE_MAX 65528u

/* The TCP connection that a span used. IPv4 as ::ffff:a.b.c.d. */
struct slab_peer {
    uint8_t local_ip[16], peer_ip[16];
    uint16_t local_port, peer_port;
};

/* Name table: entries of a 2-byte length, the bytes (no NUL), padding to 4. The first is 1. */

#define SLAB_ROUND8(n) (((n) + 7u) & ~7u)

_Static_assert(sizeof(struct slab_span) == 64, "slab ABI");
_Static_assert(sizeof(struct slab_slot) == 80, "slab ABI");
_Static_assert(sizeof(struct slab_item) == 8, "slab ABI");
_Static_assert(sizeof(struct slab_peer) == 36, "slab ABI");
_Static_assert(sizeof(struct slab_reader_word) == 64, "slab ABI");
_Static_assert(sizeof(struct slab_control) == SLAB_PAGE, "slab ABI");
_Static_assert(sizeof(struct slab_thread) == 256, "slab ABI");
_Static_assert(sizeof(struct slab_file) <= SLAB_PAGE, "slab ABI");
_Static_assert(__builtin_offsetof(struct slab_file, names_used) == 256, "slab ABI");
_Static_assert(__builtin_offsetof(struct slab_file, lost) == 272, "slab ABI");
_Static_assert(__builtin_offsetof(struct slab_thread, head) == 64, "slab ABI");
_Static_assert(__builtin_offsetof(struct slab_span, name) == 56, "slab ABI");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "state and used are loaded as one word");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "lock-free atomics");

/* Where things are, for both sides (sizes already checked). */
static inline struct slab_control *slab_control_of(void *base)
{
    return (struct slab_control *)((char *)base + SLAB_PAGE);
}
static inline uint64_t slab_slots_offset(void)
{
    return sizeof(struct slab_thread);
}
static inline uint64_t slab_ring_offset(uint32_t slot_count, uint32_t slot_bytes)
{
    uint64_t end = sizeof(struct slab_thread) + (uint64_t)slot_count * slot_bytes;
    return (end + SLAB_PAGE - 1) & ~(uint64_t)(SLAB_PAGE - 1);
}

#endif

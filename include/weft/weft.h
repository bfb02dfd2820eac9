/* SPDX-License-Identifier: Apache-2.0 */
/* libweft: what a service includes.
 *
 * A span is a piece of work with a name, a start and an end. It is born in shared memory, where
 * the host's weft-agent sees it: nothing is lost when the process dies, finished or not.
 *
 *     #include <weft/weft.h>
 *
 *     void dashboard(int user)
 *     {
 *         WEFT_SCOPE(span, WEFT_NAME("GET /dashboard"), WEFT_SERVER);
 *         weft_set_int(span, WEFT_NAME("user.id"), user);
 *         ...
 *     }   // ends here, whichever way the function is left
 *
 * What every call promises: it never blocks, aborts or prints, and leaves errno as it was. Where
 * a span cannot be recorded (no agent yet, memory full, ring full) the call costs less, a counter
 * with a reason goes up (weft_losses), and the span handle is null, which every call accepts.
 * Any thread may call anything; two threads must not use the same span at the same time. Not
 * for signal handlers.
 *
 * Identity comes from the environment (docs/libweft.md lists all variables):
 *     WEFT_SERVICE  WEFT_VERSION  WEFT_INSTANCE  WEFT_CELL  WEFT_RESOURCE=key=value,key=value
 * with OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES behind them, or from weft_identify.
 */
#ifndef WEFT_WEFT_H
#define WEFT_WEFT_H

#include <stddef.h>
#include <stdint.h>

#include <weft/stats.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define WEFT_VERSION_MAJOR 0
#define WEFT_VERSION_MINOR 1
#define WEFT_VERSION_PATCH 0

/* A span's handle: pass it by value. {0} is null: not recorded. A handle whose span has ended
 * is harmless: calls on it do nothing but count. */
typedef struct weft_span {
    void *slot;
    uint64_t id;
} weft_span;

enum weft_kind {
    WEFT_INTERNAL = 0,
    WEFT_SERVER = 1,
    WEFT_CLIENT = 2,
    WEFT_PRODUCER = 3,
    WEFT_CONSUMER = 4
};
enum weft_status { WEFT_UNSET = 0, WEFT_OK = 1, WEFT_ERROR = 2 };

/* ---- names ------------------------------------------------------------------------------- */

/* The name of a span, an event or an attribute's key: interned once per process, then a number. */
struct weft_name {
    const char *text;
    uint64_t id; /* libweft's */
};

/* A name for a string literal: a pointer to a static handle. The usual way. */
#define WEFT_NAME(literal)                                                                         \
    (__extension__({                                                                               \
        static struct weft_name weft_name_ = {"" literal, 0};                                      \
        &weft_name_;                                                                               \
    }))

/* A name that is known at run time only (copied; 1,024 bytes at most). There is room for some
 * thousands: not for ids or user input. Slower than WEFT_NAME; keep what it returns, it lives
 * as long as the process. NULL when the table is full or memory is out; every call takes NULL. */
struct weft_name *weft_intern(const char *text);

/* ---- spans ------------------------------------------------------------------------------- */

/* What travels from one span to the spans that it causes, in this process or another. */
struct weft_context {
    uint64_t trace_hi, trace_lo; /* both 0: none */
    uint64_t span_id;
    uint8_t flags;  /* W3C trace-flags */
    uint8_t remote; /* 1: it came in a header */
    uint16_t tracestate_length;
    char tracestate[512];
};

extern const uint32_t *weft_recording_word; /* points at a 1 while recording is off */
weft_span weft_begin_recorded(struct weft_name *name, enum weft_kind kind);
weft_span weft_begin_from_recorded(struct weft_name *name, enum weft_kind kind,
                                   const struct weft_context *parent, int activate);
void weft_end_recorded(weft_span span);

static inline int weft_recording(void)
{
    const uint32_t *word = __atomic_load_n(&weft_recording_word, __ATOMIC_RELAXED);
    return __builtin_expect(__atomic_load_n(word, __ATOMIC_RELAXED) != 1, 1);
}

/* Begins a child of the thread's current span (a new trace where there is none) and makes it
 * current until it ends. */
static inline weft_span weft_begin(struct weft_name *name, enum weft_kind kind)
{
    weft_span none = {0, 0};
    return weft_recording() ? weft_begin_recorded(name, kind) : none;
}

/* Begins a child of `parent`, as extracted from headers or handed over by another thread, and
 * makes it current. A NULL or empty parent begins a new trace. */
static inline weft_span weft_begin_from(struct weft_name *name, enum weft_kind kind,
                                        const struct weft_context *parent)
{
    weft_span none = {0, 0};
    return weft_recording() ? weft_begin_from_recorded(name, kind, parent, 1) : none;
}

/* The same without making it current: for event loops, where a thread has many spans open. */
static inline weft_span weft_begin_detached(struct weft_name *name, enum weft_kind kind,
                                            const struct weft_context *parent)
{
    weft_span none = {0, 0};
    return weft_recording() ? weft_begin_from_recorded(name, kind, parent, 0) : none;
}

/* Ends a span, on whichever thread. Where it is the thread's current one, the one that was
 * current when it began becomes current again. */
static inline void weft_end(weft_span span)
{
    if (span.slot)
        weft_end_recorded(span);
}

/* Makes `span` current on this thread (a null one: none) and returns what was. */
weft_span weft_activate(weft_span span);
weft_span weft_current(void);

/* Ends when its scope is left, by return, break, goto, or a C++ exception. */
#define WEFT_SCOPE(variable, name, kind)                                                           \
    __attribute__((unused, cleanup(weft_scope_end))) weft_span variable = weft_begin(name, kind)
#define WEFT_SCOPE_FROM(variable, name, kind, parent)                                              \
    __attribute__((unused, cleanup(weft_scope_end))) weft_span variable =                          \
        weft_begin_from(name, kind, parent)
static inline void weft_scope_end(const weft_span *span)
{
    weft_end(*span);
}

/* ---- what a span says -------------------------------------------------------------------- */

/* Copied. A key that is set twice keeps the later value. What does not fit into the span's slot
 * (2,048 bytes by default) is left out, and the span says how much was. */
static inline void weft_set_string(weft_span span, struct weft_name *key, const char *text);
static inline void weft_set_string_n(weft_span span, struct weft_name *key, const char *text,
                                     size_t length);
static inline void weft_set_bytes(weft_span span, struct weft_name *key, const void *bytes,
                                  size_t length);
static inline void weft_set_int(weft_span span, struct weft_name *key, int64_t value);
static inline void weft_set_double(weft_span span, struct weft_name *key, double value);
static inline void weft_set_bool(weft_span span, struct weft_name *key, int value);
void weft_set_status(weft_span span, enum weft_status status, const char *message); /* or NULL */
void weft_set_name(weft_span span, struct weft_name *name); /* a route known only later */

/* Notes on the span which TCP connection it uses: both ends of the connected socket `fd`. Anything
 * else that `fd` may be is passed over; of several calls the last counts. What a tap saw on that
 * connection between the span's begin and its end is then shown as the cache's own part of it, so:
 * between them the connection carries for this span its commands and no others, and spans that
 * overlap on one connection send in the order in which they began. */
static inline void weft_span_peer(weft_span span, int fd);

enum weft_type {
    WEFT_TYPE_STRING = 0,
    WEFT_TYPE_INT = 1,
    WEFT_TYPE_DOUBLE = 2,
    WEFT_TYPE_BOOL = 3,
    WEFT_TYPE_BYTES = 4
};
/* An attribute of an event or a link. */
struct weft_attribute {
    struct weft_name *key;
    enum weft_type type;
    union {
        int64_t integer; /* INT, BOOL */
        double number;
        const void *bytes; /* STRING, BYTES */
    } value;
    size_t length; /* STRING, BYTES */
};

/* Something that happened now, within the span. */
void weft_event(weft_span span, struct weft_name *name, const struct weft_attribute *attributes,
                size_t count);
/* Another span, of any trace, that this one has to do with. */
void weft_link(weft_span span, const struct weft_context *to,
               const struct weft_attribute *attributes, size_t count);

/* ---- contexts: to other threads and other services --------------------------------------- */

/* Fills `context` from the span; from the thread's current span for a null one. 0; -1 where
 * there is nothing (context is then empty). Hand the context to the other thread by value. */
int weft_context_of(weft_span span, struct weft_context *context);

/* The value of a header by its lower-case name, or NULL. */
typedef const char *weft_header_get(void *request, const char *name);
/* Reads W3C traceparent and tracestate, else B3 single, else B3 multi; strictly: a malformed
 * header is as none. 0; -1 where nothing usable came (context is then empty). */
int weft_extract(struct weft_context *context, weft_header_get *get, void *request);
int weft_extract_traceparent(struct weft_context *context, const char *traceparent,
                             const char *tracestate); /* tracestate may be NULL */
int weft_extract_b3(struct weft_context *context, const char *b3);

enum weft_format { WEFT_W3C = 1, WEFT_B3_SINGLE = 2, WEFT_B3_MULTI = 4 };
typedef void weft_header_set(void *request, const char *name, const char *value);
/* Calls `set` for each header that carries the span (the current one for a null span) in the
 * formats asked for. 0; -1 where there is nothing to carry. */
int weft_inject(weft_span span, unsigned formats, weft_header_set *set, void *request);
/* "00-<trace>-<span>-<flags>" and a NUL. 0 or -1 as above ("" then). */
#define WEFT_TRACEPARENT_SIZE 56
int weft_traceparent(weft_span span, char out[WEFT_TRACEPARENT_SIZE]);

/* ---- the process ------------------------------------------------------------------------- */

/* Who records; any may be NULL (then the environment decides). Before the first span: 0; after
 * it identity is settled: -1. Copied. */
int weft_identify(const char *service, const char *version, const char *instance, const char *cell);
/* A free attribute of the process ("zone" = "b"). As above. */
int weft_resource(const char *key, const char *value);

/* What was lost in this process, by reason. */
struct weft_losses {
    uint64_t no_slot, ring_full, no_thread_slab, no_memory, no_file, attribute_no_room, names_full,
        stale_handle, stats_no_room;
};
void weft_get_losses(struct weft_losses *out);

/* ---- what the inline functions above call ------------------------------------------------ */

void weft_set_word_recorded(weft_span span, struct weft_name *key, enum weft_type type,
                            uint64_t word);
void weft_set_bytes_recorded(weft_span span, struct weft_name *key, enum weft_type type,
                             const void *bytes, size_t length);
void weft_span_peer_recorded(weft_span span, int fd);

static inline void weft_span_peer(weft_span span, int fd)
{
    if (span.slot)
        weft_span_peer_recorded(span, fd);
}
static inline void weft_set_int(weft_span span, struct weft_name *key, int64_t value)
{
    if (span.slot)
        weft_set_word_recorded(span, key, WEFT_TYPE_INT, (uint64_t)value);
}
static inline void weft_set_double(weft_span span, struct weft_name *key, double value)
{
    uint64_t word;
    __builtin_memcpy(&word, &value, sizeof word);
    if (span.slot)
        weft_set_word_recorded(span, key, WEFT_TYPE_DOUBLE, word);
}
static inline void weft_set_bool(weft_span span, struct weft_name *key, int value)
{
    if (span.slot)
        weft_set_word_recorded(span, key, WEFT_TYPE_BOOL, value != 0);
}
static inline void weft_set_string_n(weft_span span, struct weft_name *key, const char *text,
                                     size_t length)
{
    if (span.slot && text)
        weft_set_bytes_recorded(span, key, WEFT_TYPE_STRING, text, length);
}
static inline void weft_set_string(weft_span span, struct weft_name *key, const char *text)
{
    if (span.slot && text)
        weft_set_bytes_recorded(span, key, WEFT_TYPE_STRING, text, __builtin_strlen(text));
}
static inline void weft_set_bytes(weft_span span, struct weft_name *key, const void *bytes,
                                  size_t length)
{
    if (span.slot && bytes)
        weft_set_bytes_recorded(span, key, WEFT_TYPE_BYTES, bytes, length);
}

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

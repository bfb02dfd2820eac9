// SPDX-License-Identifier: Apache-2.0
/* What the tap tells: the report of each second, and windows, as the agent gets them from couriers.
 * Exchanges are made of packets, by the parts that are there for it. */
#include "agent/tap/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/tap/windows.h"
#include "lib/codec/batch.h"
#include "lib/feed/frame.h"
#include "tests/unit/directory.h"
#include "tests/unit/eventually.h"

#define MS UINT64_C(1000000)

enum { REDIS = 6379, TELL = 2 };

/* An end of a feed: a courier, and the agent's side of it. */
struct line {
    int listener, fd;
    struct buffer in;
    struct courier *courier;
};

struct fixture {
    char directory[64];
    struct line series, windows, shown;
    struct tap_capture *capture;
    struct caches caches;
    struct report *report;
    struct windows *told;
    uint64_t now_ns;
    uint32_t client_next, cache_next;
    uint8_t cache;      /* the last byte of its address */
    struct arena arena; /* of what was received */
};

/* ---- the agent's side --------------------------------------------------------------------- */

static void line_init(struct line *l, const char *directory, bool to_show)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/" FEED_SOCKET_NAME, directory);
    assert_int_equal(mkdir(directory, 0700), 0);
    *l = (struct line){.fd = -1};
    l->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(l->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(l->listener, 4), 0);
    l->courier =
        to_show ? courier_create_to_show(address.sun_path) : courier_create(address.sun_path);
    assert_non_null(l->courier);
}

static void line_fini(struct line *l)
{
    courier_destroy(&l->courier, 0);
    if (l->fd >= 0)
        close(l->fd);
    close(l->listener);
    buffer_fini(&l->in);
}

static void wait_for(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
}

/* The next batch, which is answered. */
static const struct batch *receive(struct fixture *f, struct line *l, enum feed_type type)
{
    struct feed_frame frame;
    size_t taken;
    int error;
    char bytes[4096];
    if (l->fd < 0) {
        wait_for(l->listener);
        l->fd = accept(l->listener, NULL, NULL);
    }
    while (feed_frame_read(l->in.data, l->in.length, &frame, &taken) == 0) {
        wait_for(l->fd);
        ssize_t n = read(l->fd, bytes, sizeof bytes);
        assert_true(n > 0);
        buffer_append(&l->in, bytes, (size_t)n);
    }
    assert_int_equal(frame.type, type);
    const struct batch *b = batch_decode(&f->arena, frame.body, frame.length, 1 << 22, &error);
    assert_non_null(b);
    struct buffer answer = {0};
    assert_true(feed_frame_write(&answer, FEED_STORED, frame.number, NULL, 0));
    assert_int_equal(write(l->fd, answer.data, answer.length), answer.length);
    buffer_fini(&answer);
    buffer_clear(&l->in);
    return b;
}

/* ---- the tap's side ----------------------------------------------------------------------- */

static void open_capture(struct fixture *f)
{
    char path[96], why[256];
    const uint16_t port = REDIS;
    snprintf(path, sizeof path, "%s/empty.pcap", f->directory);
    pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 65535);
    pcap_dumper_t *out = pcap_dump_open(pcap, path);
    pcap_dump_close(out);
    pcap_close(pcap);
    f->capture = tap_capture_open_file(path, &port, 1, why, sizeof why);
    assert_non_null(f->capture);
}

static int setup(void **state)
{
    static const struct tap_port ports[] = {{REDIS, &tap_redis}};
    struct fixture *f = calloc(1, sizeof *f);
    char path[96];
    strcpy(f->directory, "/tmp/weft-report-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    struct line *lines[] = {&f->series, &f->windows, &f->shown};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%d", f->directory, i);
        line_init(lines[i], path, i == 2);
    }
    open_capture(f);
    arena_init(&f->arena, 1 << 16);
    caches_init(&f->caches, 64, HOT_WHOLE);
    f->caches.connections = tap_connections_create(
        &(struct tap_connections_options){.ports = ports,
                                          .port_count = 1,
                                          .connections = 16,
                                          .memory_bytes = 1 << 20,
                                          .observer = {caches_observe, &f->caches}});
    f->report = report_create(&(struct report_parts){.host = "box7",
                                                     .caches = &f->caches,
                                                     .connections = f->caches.connections,
                                                     .capture = f->capture,
                                                     .courier = f->series.courier,
                                                     .windows_courier = f->windows.courier});
    f->told = windows_create(&(struct windows_parts){.host = "box7",
                                                     .caches = &f->caches,
                                                     .connections = f->caches.connections,
                                                     .courier = f->windows.courier,
                                                     .to_show = f->shown.courier,
                                                     .tell = TELL});
    assert_true(f->report && f->told);
    f->now_ns = 1700000000000 * MS;
    f->cache = 2;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    report_destroy(&f->report);
    windows_destroy(&f->told);
    tap_connections_destroy(&f->caches.connections);
    caches_fini(&f->caches);
    tap_capture_close(&f->capture);
    line_fini(&f->series);
    line_fini(&f->windows);
    line_fini(&f->shown);
    arena_fini(&f->arena);
    directory_remove(f->directory);
    free(f);
    return 0;
}

static void say(struct fixture *f, bool client, uint8_t flags, const char *text)
{
    const struct tap_address ends[] = {
        {{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = f->cache}, REDIS},
        {{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}, 40000}};
    uint32_t *from = client ? &f->client_next : &f->cache_next,
             *to = client ? &f->cache_next : &f->client_next;
    uint32_t length = (uint32_t)strlen(text);
    const struct tap_segment s = {.from = ends[client],
                                  .to = ends[!client],
                                  .sequence = *from,
                                  .acknowledged = *to,
                                  .flags = flags,
                                  .length = length,
                                  .captured = length,
                                  .bytes = (const uint8_t *)text};
    f->now_ns += MS;
    tap_connections_add(f->caches.connections, &s, f->now_ns);
    *from += length + ((flags & TAP_SYN) != 0);
}

static void exchange(struct fixture *f, const char *asked, const char *answered)
{
    say(f, true, TAP_ACK, asked);
    say(f, false, TAP_ACK, answered);
}

/* One client: hits, a miss, an error. */
static void converse(struct fixture *f)
{
    say(f, true, TAP_SYN, "");
    say(f, false, TAP_SYN | TAP_ACK, "");
    say(f, true, TAP_ACK, "");
    exchange(f, "SET a hello\r\n", "+OK\r\n");
    exchange(f, "GET a\r\n", "$5\r\nhello\r\n");
    exchange(f, "GET a\r\n", "$5\r\nhello\r\n");
    exchange(f, "GET none\r\n", "$-1\r\n");
    exchange(f, "MGET a bb\r\n", "*2\r\n$5\r\nhello\r\n$-1\r\n");
    exchange(f, "LPOP a\r\n", "-WRONGTYPE no\r\n");
}

/* ---- what was told ------------------------------------------------------------------------ */

static const char *text_of(const struct batch *b, uint32_t series, const char *label)
{
    static char text[128];
    const struct batch_series_view *s = &b->samples.series[series];
    const struct batch_label_range ranges[] = {s->own, s->shared};
    for (int r = 0; r < 2; r++)
        for (uint32_t i = ranges[r].first; i < ranges[r].first + ranges[r].count; i++)
            if (batch_str_is(b->strings[b->samples.label_names[i]], label)) {
                struct batch_str value = b->strings[b->samples.label_values[i]];
                snprintf(text, sizeof text, "%.*s", (int)value.length, value.bytes);
                return text;
            }
    return "";
}

/* The row of a metric whose label has the value ("" where it may have none); UINT32_MAX: none. */
static uint32_t row_of(const struct batch *b, const char *metric, const char *label,
                       const char *value)
{
    const struct batch_samples *s = &b->samples;
    for (uint32_t i = 0; i < s->count; i++)
        if (batch_str_is(s->metrics[s->series[s->series_of[i]].metric].name, metric) &&
            strcmp(text_of(b, s->series_of[i], label), value) == 0)
            return i;
    return UINT32_MAX;
}

static double value_of(const struct batch *b, const char *metric, const char *label,
                       const char *value)
{
    uint32_t row = row_of(b, metric, label, value);
    return row == UINT32_MAX ? -1 : b->samples.value[row];
}

static void counts_by_command_carry_the_labels_of_their_cache(void **state)
{
    struct fixture *f = *state;
    converse(f);
    report_tell(f->report, f->now_ns);
    const struct batch *b = receive(f, &f->series, FEED_BATCH);
    uint32_t gets = row_of(b, "weft_cache_commands_total", "command", "get");
    assert_int_not_equal(gets, UINT32_MAX);
    assert_true(b->samples.value[gets] == 3);
    assert_int_equal(b->samples.kind[gets], SAMPLE_VALUE); /* it grows: no delta */
    assert_int_equal(b->samples.unix_ms[gets], f->now_ns / MS);
    assert_string_equal(text_of(b, b->samples.series_of[gets], "host"), "box7");
    assert_string_equal(text_of(b, b->samples.series_of[gets], "cache"), "10.0.0.2:6379");
    assert_string_equal(text_of(b, b->samples.series_of[gets], "protocol"), "redis");
    assert_true(value_of(b, "weft_cache_hits_total", "command", "get") == 2);
    assert_true(value_of(b, "weft_cache_misses_total", "command", "get") == 1);
    assert_true(value_of(b, "weft_cache_keys_total", "command", "mget") == 2);
    assert_true(value_of(b, "weft_cache_errors_total", "error", "WRONGTYPE") == 1);
    assert_true(value_of(b, "weft_cache_request_bytes_total", "command", "set") == 13);
    assert_true(value_of(b, "weft_cache_reply_bytes_total", "command", "set") == 5);
    assert_true(value_of(b, "weft_cache_connections_total", "protocol", "redis") == 1);
    assert_true(value_of(b, "weft_cache_distinct_keys", "protocol", "redis") == 3);
    assert_true(value_of(b, "weft_tap_connections", "host", "box7") == 1);
    assert_true(value_of(b, "weft_tap_dropped_packets_total", "by", "kernel") == 0);
    assert_true(value_of(b, "weft_tap_dropped_reports_total", "host", "box7") == 0);
}

static void times_and_sizes_are_told_as_histograms(void **state)
{
    struct fixture *f = *state;
    converse(f);
    report_tell(f->report, f->now_ns);
    const struct batch *b = receive(f, &f->series, FEED_BATCH);
    uint32_t times = row_of(b, "weft_cache_service_seconds", "command", "get");
    assert_int_not_equal(times, UINT32_MAX);
    assert_int_equal(b->samples.kind[times], SAMPLE_HISTOGRAM);
    assert_true(b->samples.value[times] > 0.0029 && b->samples.value[times] < 0.0031);
    uint32_t sizes = row_of(b, "weft_cache_value_bytes", "command", "get");
    assert_true(b->samples.value[sizes] == 10);
}

static void what_never_happened_makes_no_series(void **state)
{
    struct fixture *f = *state;
    converse(f);
    report_tell(f->report, f->now_ns);
    const struct batch *b = receive(f, &f->series, FEED_BATCH);
    assert_int_equal(row_of(b, "weft_cache_commands_total", "command", "del"), UINT32_MAX);
    assert_int_equal(row_of(b, "weft_cache_misses_total", "command", "set"), UINT32_MAX);
    assert_int_equal(row_of(b, "weft_cache_withdrawn_total", "command", "get"), UINT32_MAX);
    assert_int_equal(row_of(b, "weft_cache_value_bytes", "command", "lpop"), UINT32_MAX);
    report_tell(f->report, f->now_ns + 1000 * MS); /* the same again: sums, not what came since */
    b = receive(f, &f->series, FEED_BATCH);
    assert_true(value_of(b, "weft_cache_commands_total", "command", "get") == 3);
}

/* ---- windows ------------------------------------------------------------------------------ */

static const struct window_list *keys_of(const struct batch *b)
{
    assert_int_equal(b->window_count, 1);
    return &b->windows[0].lists[WINDOW_KEYS_BY_CALLS];
}

static void a_window_is_shown_while_it_is_counted_and_told_when_it_ends(void **state)
{
    struct fixture *f = *state;
    converse(f);
    f->caches.list[0]->hot.begun_unix_ns = f->now_ns - 5000 * MS;
    windows_show(f->told, f->now_ns);
    const struct batch *b = receive(f, &f->shown, FEED_SHOW);
    int64_t begin_ms = b->windows[0].begin_unix_ms;
    assert_int_equal(b->windows[0].length_ms, 5000);
    assert_true(batch_str_is(b->windows[0].cache, "10.0.0.2:6379"));
    assert_int_equal(keys_of(b)->total, 7);
    assert_int_equal(keys_of(b)->count, TELL);
    assert_true(batch_str_is(keys_of(b)->entries[0].key, "a"));
    assert_int_equal(keys_of(b)->entries[0].calls, 5);
    assert_int_equal(keys_of(b)->rest, 1); /* the third key */
    exchange(f, "GET a\r\n", "$5\r\nhello\r\n");
    windows_turn(f->told, f->now_ns + 5000 * MS);
    b = receive(f, &f->windows, FEED_BATCH);
    assert_int_equal(b->windows[0].begin_unix_ms, begin_ms); /* it went on */
    assert_int_equal(keys_of(b)->entries[0].calls, 6);
    exchange(f, "GET other\r\n", "$-1\r\n");
    windows_turn(f->told, f->now_ns + 10000 * MS);
    b = receive(f, &f->windows, FEED_BATCH);
    assert_int_equal(keys_of(b)->total, 1);
    assert_true(batch_str_is(keys_of(b)->entries[0].key, "other"));
}

static void of_many_caches_parts_are_shown_in_turn(void **state)
{
    enum { CACHES = 70, PARTS = 3 };
    struct fixture *f = *state;
    bool seen[256] = {false};
    for (int i = 0; i < CACHES; i++) {
        f->cache = (uint8_t)(2 + i);
        f->client_next = f->cache_next = 0;
        converse(f);
        f->caches.list[i]->hot.begun_unix_ns = 1700000000000 * MS - 5000 * MS;
    }
    for (int part = 0; part < PARTS; part++) {
        windows_show(f->told, f->now_ns);
        const struct batch *b = receive(f, &f->shown, FEED_SHOW);
        assert_true(b->window_count == CACHES / PARTS || b->window_count == CACHES / PARTS + 1);
        for (uint32_t i = 0; i < b->window_count; i++) {
            char address[32];
            int last;
            snprintf(address, sizeof address, "%.*s", (int)b->windows[i].cache.length,
                     b->windows[i].cache.bytes);
            assert_int_equal(sscanf(address, "10.0.0.%d:", &last), 1);
            assert_false(seen[last]);
            seen[last] = true;
        }
    }
    for (int i = 0; i < CACHES; i++)
        assert_true(seen[2 + i]);
    windows_turn(f->told, f->now_ns); /* all of them */
    assert_int_equal(receive(f, &f->windows, FEED_BATCH)->window_count, CACHES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts_by_command_carry_the_labels_of_their_cache, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(times_and_sizes_are_told_as_histograms, setup, teardown),
        cmocka_unit_test_setup_teardown(what_never_happened_makes_no_series, setup, teardown),
        cmocka_unit_test_setup_teardown(a_window_is_shown_while_it_is_counted_and_told_when_it_ends,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(of_many_caches_parts_are_shown_in_turn, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

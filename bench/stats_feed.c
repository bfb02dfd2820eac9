// SPDX-License-Identifier: Apache-2.0
/* Sends the samples of many hosts over remote write, as a Prometheus that scrapes them would:
 *
 *     bench_stats_feed PORT PATH JOB HOSTS ROUNDS START_UNIX_MS
 *
 * A host is 100 series: 40 counters, 36 gauges, two classic histograms of 12 series each. Each
 * round of 15 s has one sample of each series, round after round; requests hold the samples of 20
 * hosts. Two threads with a connection each send one half of the hosts. Prints one line of JSON:
 * samples, requests, bytes, and how long it took. Seeded: every run has the same values.
 *
 * Ends with 1 and a sentence when a request is not answered with 2xx. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/measure.h"
#include "tests/unit/prom/message.h"

enum {
    SERIES = 100, /* of a host */
    HOSTS_A_REQUEST = 20,
    STEP_MS = 15000,
    CELLS = 10,
    BOUNDS = 10,
    THREADS = 2,
    ANSWER_MAX = 4096,
};

enum kind {
    COUNTER,    /* whole steps */
    SECONDS,    /* a counter with two decimals */
    GAUGE,      /* a walk in steps of 1/4 */
    TEMPERATURE /* seldom another */
};

struct series {
    uint32_t label_at, label_length; /* in feed.labels */
    enum kind kind;
    double value;
};

struct feed { /* of a thread */
    pthread_t thread;
    unsigned first, hosts;
    struct series *series;
    struct buffer labels; /* encoded */
    uint64_t random;
    uint64_t samples, requests, bytes;
};

static int port;
static const char *path, *job;
static unsigned rounds;
static int64_t start_ms;

static void fail(const char *what)
{
    fprintf(stderr, "bench_stats_feed: %s\n", what);
    exit(1);
}

static uint64_t random_next(struct feed *f)
{
    uint64_t x = f->random += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static unsigned below(struct feed *f, unsigned n)
{
    return (unsigned)((random_next(f) >> 32) * n >> 32);
}

/* ---- which series there are -------------------------------------------------------------- */

/* Names of labels in their order: cell, host, job, then the two of the metric, which are beyond. */
static void add_series(struct feed *f, struct series *s, enum kind kind, const char *metric,
                       unsigned host, const char *const more[4])
{
    char text[32];
    s->kind = kind;
    s->label_at = (uint32_t)f->labels.length;
    put_label(&f->labels, "__name__", metric);
    snprintf(text, sizeof text, "c%u", host % CELLS);
    put_label(&f->labels, "cell", text);
    snprintf(text, sizeof text, "host-%05u.example.net", host);
    put_label(&f->labels, "host", text);
    put_label(&f->labels, "job", job);
    for (unsigned i = 0; i < 4 && more[i]; i += 2)
        put_label(&f->labels, more[i], more[i + 1]);
    s->label_length = (uint32_t)f->labels.length - s->label_at;
    s->value = kind == GAUGE ? 500 : kind == TEMPERATURE ? 40 : 0;
}

struct family {
    const char *metric;
    enum kind kind;
    const char *label, *values[6];
    const char *other, *others[6];
};

static const struct family families[] = {
    {"requests_total",
     COUNTER,
     "method",
     {"get", "post"},
     "status",
     {"200", "301", "400", "404", "500"}},
    {"network_bytes_total", COUNTER, "to", {"in", "out"}, "unit", {"e0", "e1", "e2", "e3", "lo"}},
    {"cpu_seconds_total",
     SECONDS,
     "mode",
     {"idle", "iowait", "system", "user"},
     "processor",
     {"0", "1", "2", "3", "4"}},
    {"memory_bytes", GAUGE, "kind", {"free", "used", "cached"}, "node", {"0", "1"}},
    {"temperature_celsius", TEMPERATURE, "sensor", {"a", "b"}, "slot", {"0", "1", "2", "3", "4"}},
    {"queue_depth",
     GAUGE,
     "queue",
     {"mail", "post", "push", "scan"},
     "shard",
     {"0", "1", "2", "3", "4"}},
};

static const char *const bounds[BOUNDS] = {"0.005", "0.01", "0.025", "0.05", "0.1",
                                           "0.25",  "0.5",  "1",     "2.5",  "+Inf"};
/* What share of 64 observations is below each bound. */
static const unsigned shares[BOUNDS] = {2, 8, 20, 36, 48, 56, 60, 62, 63, 64};

static const char *const operations[] = {"read", "write"};

static struct series *add_histogram(struct feed *f, struct series *s, unsigned host, unsigned which)
{
    for (unsigned i = 0; i < BOUNDS; i++)
        add_series(f, s++, COUNTER, "took_seconds_bucket", host,
                   (const char *const[4]){"le", bounds[i], "operation", operations[which]});
    add_series(f, s++, SECONDS, "took_seconds_sum", host,
               (const char *const[4]){"operation", operations[which]});
    add_series(f, s++, COUNTER, "took_seconds_count", host,
               (const char *const[4]){"operation", operations[which]});
    return s;
}

static void add_host(struct feed *f, unsigned host)
{
    struct series *const first = f->series + (size_t)(host - f->first) * SERIES, *s = first;
    for (const struct family *m = families; m < families + sizeof families / sizeof *families; m++)
        for (unsigned i = 0; i < 6 && m->values[i]; i++)
            for (unsigned j = 0; j < 6 && m->others[j]; j++)
                add_series(f, s++, m->kind, m->metric, host,
                           (const char *const[4]){m->label, m->values[i], m->other, m->others[j]});
    for (unsigned i = 0; i < 2; i++)
        s = add_histogram(f, s, host, i);
    if (s != first + SERIES)
        fail("a host has another number of series");
}

/* ---- values ------------------------------------------------------------------------------ */

static void advance(struct feed *f, struct series *s)
{
    switch (s->kind) {
    case COUNTER:
        s->value += below(f, 200);
        break;
    case SECONDS:
        s->value = (double)(int64_t)(s->value * 100 + below(f, 1500) + 0.5) / 100;
        break;
    case GAUGE:
        s->value += ((double)below(f, 33) - 16) / 4;
        break;
    case TEMPERATURE:
        if (below(f, 20) == 0)
            s->value = 38 + below(f, 6);
    }
}

/* Buckets grow together, so that none is above the next. */
static void advance_histogram(struct feed *f, struct series *s)
{
    unsigned seen = 32 + below(f, 64), i;
    for (i = 0; i < BOUNDS; i++)
        s[i].value += (double)(shares[i] * seen / 64);
    s[i++].value += (double)seen * 0.0625;
    s[i].value += (double)seen;
}

static void advance_host(struct feed *f, struct series *s)
{
    const unsigned plain = SERIES - 2 * (BOUNDS + 2);
    for (unsigned i = 0; i < plain; i++)
        advance(f, &s[i]);
    for (unsigned i = plain; i < SERIES; i += BOUNDS + 2)
        advance_histogram(f, &s[i]);
}

/* ---- sending ----------------------------------------------------------------------------- */

static unsigned varint_length(uint64_t value)
{
    unsigned n = 1;
    while (value >>= 7)
        n++;
    return n;
}

static void put_series(struct feed *f, struct buffer *m, const struct series *s, int64_t unix_ms)
{
    unsigned sample = 1 + 8 + 1 + varint_length((uint64_t)unix_ms);
    put_varint(m, 1 << 3 | 2);
    put_varint(m, s->label_length + 2 + sample);
    buffer_append(m, f->labels.data + s->label_at, s->label_length);
    put_varint(m, 2 << 3 | 2);
    put_varint(m, sample);
    put_double(m, 1, s->value);
    put_number(m, 2, (uint64_t)unix_ms);
}

static int connect_peer(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail("no connection");
    return fd;
}

static void send_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);
        if (n <= 0)
            fail("the connection ended");
        bytes += n;
        length -= (size_t)n;
    }
}

/* Answers to a write have no body, or a short one that comes with the head. */
static void await_answer(int fd)
{
    char answer[ANSWER_MAX];
    size_t length = 0;
    do {
        ssize_t n = recv(fd, answer + length, sizeof answer - 1 - length, 0);
        if (n <= 0)
            fail("the connection ended");
        length += (size_t)n;
        answer[length] = 0;
    } while (!strstr(answer, "\r\n\r\n") && length < sizeof answer - 1);
    if (strncmp(answer, "HTTP/1.1 2", 10) != 0)
        fail(answer);
}

static void post(struct feed *f, int fd, const struct buffer *message)
{
    size_t length;
    void *body = compress_message(message, &length);
    struct buffer head = {0};
    buffer_printf(
        &head,
        "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/x-protobuf\r\n"
        "Content-Encoding: snappy\r\nX-Prometheus-Remote-Write-Version: 0.1.0\r\n"
        "Content-Length: %zu\r\n\r\n",
        path, port, length);
    if (!body || head.failed || message->failed)
        fail("no memory");
    buffer_append(&head, body, length);
    send_all(fd, head.data, head.length);
    await_answer(fd);
    f->requests++;
    f->bytes += length;
    buffer_fini(&head);
    free(body);
}

static void send_round(struct feed *f, int fd, struct buffer *message, int64_t unix_ms)
{
    for (unsigned host = 0; host < f->hosts; host++) {
        struct series *s = f->series + (size_t)host * SERIES;
        advance_host(f, s);
        for (unsigned i = 0; i < SERIES; i++)
            put_series(f, message, &s[i], unix_ms);
        f->samples += SERIES;
        if ((host + 1) % HOSTS_A_REQUEST != 0 && host + 1 != f->hosts)
            continue;
        post(f, fd, message);
        buffer_clear(message);
    }
}

/* Both threads are in the same round, as peers refuse what is much older than the newest. */
static pthread_barrier_t round_end;

static void *run(void *context)
{
    struct feed *f = context;
    struct buffer message = {0};
    int fd = connect_peer();
    for (unsigned i = 0; i < rounds; i++) {
        send_round(f, fd, &message, start_ms + (int64_t)i * STEP_MS);
        pthread_barrier_wait(&round_end);
    }
    close(fd);
    buffer_fini(&message);
    return NULL;
}

static void prepare(struct feed *f, unsigned first, unsigned hosts)
{
    f->first = first;
    f->hosts = hosts;
    f->random = first + 1;
    f->series = calloc((size_t)hosts * SERIES + 1, sizeof *f->series);
    if (!f->series)
        fail("no memory");
    for (unsigned host = first; host < first + hosts; host++)
        add_host(f, host);
    if (f->labels.failed)
        fail("no memory");
}

int main(int argc, char **argv)
{
    struct feed feeds[THREADS] = {0};
    uint64_t samples = 0, requests = 0, bytes = 0;
    if (argc != 7)
        fail("usage: PORT PATH JOB HOSTS ROUNDS START_UNIX_MS");
    port = atoi(argv[1]);
    path = argv[2];
    job = argv[3];
    unsigned hosts = (unsigned)strtoul(argv[4], NULL, 10), half = hosts / THREADS;
    rounds = (unsigned)strtoul(argv[5], NULL, 10);
    start_ms = strtoll(argv[6], NULL, 10);
    prepare(&feeds[0], 0, half);
    prepare(&feeds[1], half, hosts - half);
    pthread_barrier_init(&round_end, NULL, THREADS);
    double began_ns = measure_wall_ns();
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&feeds[i].thread, NULL, run, &feeds[i]) != 0)
            fail("no thread");
    for (int i = 0; i < THREADS; i++) {
        pthread_join(feeds[i].thread, NULL);
        samples += feeds[i].samples;
        requests += feeds[i].requests;
        bytes += feeds[i].bytes;
    }
    printf("{\"samples\": %" PRIu64 ", \"requests\": %" PRIu64 ", \"bytes\": %" PRIu64
           ", \"seconds\": %.3f}\n",
           samples, requests, bytes, (measure_wall_ns() - began_ns) / 1e9);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* A service whose spans can be accounted for: it writes into a worklog what it does with each.
 *
 *   worker --log FILE [--threads N] [--requests N] [--rate N] [--payload N] [--capacity N]
 *
 * A request is a root span, a child and a grandchild, each with its entry's number and `payload`
 * bytes that do not compress. --requests and --rate (a second) go for each thread; 0: without
 * end, without pause. It ends by itself, or at SIGTERM when the requests at hand are done, and
 * prints one line of JSON: what it recorded and what libweft says was lost. */
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/programs/worklog.h"
#include "weft/weft.h"

enum { PAYLOAD_MAX = 1500, THREADS_MAX = 64 };

static struct {
    const char *log;
    long threads, requests, rate, payload;
    unsigned long capacity;
} options = {.threads = 1, .requests = 100, .capacity = 1 << 20};

static struct worklog *worklog;
static atomic_bool ending;

static void on_signal(int number)
{
    (void)number;
    ending = 1;
}

static struct worklog *open_log(const char *path, unsigned long capacity)
{
    size_t bytes = sizeof(struct worklog) + capacity * sizeof(struct worklog_entry);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)bytes) != 0)
        return NULL;
    struct worklog *log = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (log == MAP_FAILED)
        return NULL;
    log->magic = WORKLOG_MAGIC;
    log->capacity = capacity;
    return log;
}

/* ---- work -------------------------------------------------------------------------------- */

static void fill(char *text, size_t length, uint64_t seed)
{
    for (size_t i = 0; i < length; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        text[i] = (char)('!' + (seed >> 58));
    }
}

static __thread struct timespec next;

/* In the middle of a request, so that a kill meets three open spans. */
static void pace(void)
{
    if (!options.rate)
        return;
    next.tv_nsec += 1000000000L / options.rate;
    if (next.tv_nsec >= 1000000000L) {
        next.tv_nsec -= 1000000000L;
        next.tv_sec++;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
}

/* False: the log is full. */
static bool work(struct weft_name *name, enum weft_kind kind, int depth)
{
    char payload[PAYLOAD_MAX];
    uint64_t number = atomic_fetch_add(&worklog->used, 1);
    if (number >= worklog->capacity)
        return false;
    struct worklog_entry *entry = &worklog->entries[number];
    weft_span span = weft_begin(name, kind);
    entry->span_id = span.id;
    atomic_store(&entry->state, span.slot ? WORKLOG_BEGUN : WORKLOG_UNRECORDED);
    weft_set_int(span, WEFT_NAME("number"), (int64_t)number);
    if (options.payload) {
        fill(payload, (size_t)options.payload, number);
        weft_set_string_n(span, WEFT_NAME("payload"), payload, (size_t)options.payload);
    }
    bool room = true;
    if (depth == 2)
        room = work(WEFT_NAME("child"), WEFT_CLIENT, 1);
    else if (depth == 1)
        room = work(WEFT_NAME("grandchild"), WEFT_INTERNAL, 0);
    else
        pace();
    weft_end(span);
    if (span.slot)
        atomic_store(&entry->state, WORKLOG_ENDED);
    return room;
}

static void *run(void *unused)
{
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (long i = 0; !ending && (!options.requests || i < options.requests); i++) {
        if (!work(WEFT_NAME("request"), WEFT_SERVER, 2))
            break;
    }
    return unused;
}

/* ---- the summary ------------------------------------------------------------------------- */

static void print_summary(void)
{
    uint64_t states[4] = {0}, used = atomic_load(&worklog->used);
    struct weft_losses l;
    if (used > worklog->capacity)
        used = worklog->capacity;
    for (uint64_t i = 0; i < used; i++)
        states[atomic_load(&worklog->entries[i].state) & 3]++;
    weft_get_losses(&l);
    printf("{\"ended\":%lu,\"unrecorded\":%lu,\"no_slot\":%lu,\"ring_full\":%lu,"
           "\"no_thread_slab\":%lu,\"no_memory\":%lu,\"no_file\":%lu,\"attribute_no_room\":%lu}\n",
           (unsigned long)states[WORKLOG_ENDED], (unsigned long)states[WORKLOG_UNRECORDED],
           (unsigned long)l.no_slot, (unsigned long)l.ring_full, (unsigned long)l.no_thread_slab,
           (unsigned long)l.no_memory, (unsigned long)l.no_file,
           (unsigned long)l.attribute_no_room);
}

static bool parse(int argc, char **argv)
{
    static const struct option known[] = {{"log", required_argument, NULL, 'l'},
                                          {"threads", required_argument, NULL, 't'},
                                          {"requests", required_argument, NULL, 'n'},
                                          {"rate", required_argument, NULL, 'r'},
                                          {"payload", required_argument, NULL, 'p'},
                                          {"capacity", required_argument, NULL, 'c'},
                                          {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
        switch (option) {
        case 'l':
            options.log = optarg;
            break;
        case 't':
            options.threads = atol(optarg);
            break;
        case 'n':
            options.requests = atol(optarg);
            break;
        case 'r':
            options.rate = atol(optarg);
            break;
        case 'p':
            options.payload = atol(optarg);
            break;
        case 'c':
            options.capacity = strtoul(optarg, NULL, 10);
            break;
        default:
            return false;
        }
    return options.log && options.threads >= 1 && options.threads <= THREADS_MAX &&
           options.rate >= 0 && options.payload >= 0 && options.payload <= PAYLOAD_MAX;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS_MAX];
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL); /* before the log is there: then it may be sent */
    if (!parse(argc, argv) || !(worklog = open_log(options.log, options.capacity))) {
        fprintf(stderr, "worker: bad options, or --log cannot be made\n");
        return 2;
    }
    for (long i = 0; i < options.threads; i++)
        if (pthread_create(&threads[i], NULL, run, NULL) != 0)
            return 1;
    for (long i = 0; i < options.threads; i++)
        pthread_join(threads[i], NULL);
    print_summary();
    return 0;
}

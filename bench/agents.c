// SPDX-License-Identifier: Apache-2.0
/* Many agents on one collector: each with a link of its own (real connections, hello, seals,
 * acknowledgements, reports), all in this program, dealt out to a few threads.
 *
 *     bench_agents FIRST AGENTS SPANS-PER-SECOND SECONDS LINK CONTROL KEYS-DIRECTORY
 *
 * They are called sim-FIRST and so on. nanomsg has room for 512 sockets in a process and a link
 * needs two, so more than 200 take several of this program.
 *
 * Every agent sends a batch of the dashboard workload a second, of such a size that all together
 * make the rate. Prints one line of JSON.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/measure.h"
#include "bench/workload.h"
#include "lib/base/buffer.h"
#include "lib/link/client.h"

enum { THREADS = 2, LATENCIES_MAX = 1 << 20, POOL = 32 };

struct simulated {
    struct link_client *link;
    uint64_t number; /* of the next batch */
    double next_ns;  /* when it is due */
    double sent_ns;  /* of the one under way */
    bool under_way;
};

struct crew {
    struct simulated *agents;
    unsigned first, count;
    uint64_t sent, accepted, refused, late;
    double *latency_ns;
    unsigned latencies;
};

static struct {
    unsigned first, agents;
    double spans_per_second, end_ns;
    unsigned spans_per_batch;
    const char *link, *control, *keys;
    struct buffer batches[POOL]; /* encoded */
} plan;

static void make_batches(void)
{
    struct workload *w =
        workload_create(WORKLOAD_DASHBOARD, 7, (uint64_t)measure_clock_ns(CLOCK_REALTIME));
    struct batch_builder *b = batch_builder_create();
    for (int i = 0; i < POOL; i++) {
        batch_builder_reset(b);
        workload_fill(w, b, plan.spans_per_batch);
        if (batch_encode(b, &plan.batches[i]) != 0)
            exit(1);
    }
    batch_builder_destroy(&b);
    workload_destroy(&w);
}

static void open_link(struct simulated *s, unsigned i)
{
    char name[32], key[4096], why[512];
    snprintf(name, sizeof name, "sim-%04u", plan.first + i);
    snprintf(key, sizeof key, "%s/%s.key", plan.keys, name);
    const struct link_client_options options = {.address = plan.link,
                                                .control_address = plan.control,
                                                .agent = name,
                                                .key_file = key,
                                                .max_in_flight = 4,
                                                .answer_timeout_ms = 10000};
    s->link = link_client_create(&options, why, sizeof why);
    if (!s->link) {
        fprintf(stderr, "bench_agents: %s\n", why);
        exit(1);
    }
    s->number = 1;
}

static void send_one(struct crew *c, struct simulated *s, uint64_t epoch)
{
    struct buffer sealed = {0};
    const struct buffer *batch = &plan.batches[(s->number + c->first) % POOL];
    struct link_sequence sequence = {epoch, s->number};
    if (link_client_seal(s->link, sequence, batch->data, batch->length, &sealed) == 0 &&
        link_client_send(s->link, sequence, sequence, sealed.data, sealed.length) == 0) {
        s->number++;
        s->under_way = true;
        s->sent_ns = measure_wall_ns();
        c->sent++;
    }
    buffer_fini(&sealed);
}

static void hear(struct crew *c, struct simulated *s)
{
    struct link_event event;
    while (link_client_poll(s->link, &event, 0) == 1) {
        if (event.kind != LINK_EVENT_ANSWER)
            continue;
        s->under_way = false;
        *(event.verdict == LINK_REFUSED ? &c->refused : &c->accepted) += 1;
        if (c->latencies < LATENCIES_MAX)
            c->latency_ns[c->latencies++] = measure_wall_ns() - s->sent_ns;
    }
}

static bool serve_once(struct crew *c, struct simulated *s, uint64_t epoch)
{
    double now = measure_wall_ns();
    hear(c, s);
    if (now < plan.end_ns && now >= s->next_ns) {
        if (s->under_way)
            c->late++;
        else
            send_one(c, s, epoch);
        s->next_ns += 1e9;
    }
    return s->under_way;
}

static void *run_crew(void *context)
{
    struct crew *c = context;
    uint64_t epoch = (uint64_t)measure_clock_ns(CLOCK_REALTIME);
    struct timespec pause = {.tv_nsec = 5000000};
    for (bool busy = true; busy || measure_wall_ns() < plan.end_ns;) {
        busy = false;
        for (unsigned i = 0; i < c->count; i++)
            busy |= serve_once(c, &c->agents[c->first + i], epoch);
        if (measure_wall_ns() > plan.end_ns + 20e9)
            break;
        nanosleep(&pause, NULL);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        fprintf(stderr,
                "usage: bench_agents FIRST AGENTS SPANS-PER-SECOND SECONDS LINK CONTROL KEYS\n");
        return 2;
    }
    plan.first = (unsigned)atoi(argv[1]);
    plan.agents = (unsigned)atoi(argv[2]);
    plan.spans_per_second = atof(argv[3]);
    plan.link = argv[5];
    plan.control = argv[6];
    plan.keys = argv[7];
    plan.spans_per_batch = (unsigned)(plan.spans_per_second / plan.agents);
    make_batches();

    struct simulated *agents = calloc(plan.agents, sizeof *agents);
    double start = measure_wall_ns();
    for (unsigned i = 0; i < plan.agents; i++) {
        open_link(&agents[i], i);
        agents[i].next_ns = start + 3e9 + 1e9 * i / plan.agents;
    }
    plan.end_ns = measure_wall_ns() + 3e9 + atof(argv[4]) * 1e9;

    struct crew crews[THREADS];
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        unsigned first = plan.agents * i / THREADS, end = plan.agents * (i + 1) / THREADS;
        crews[i] = (struct crew){.agents = agents, .first = first, .count = end - first};
        crews[i].latency_ns = malloc(LATENCIES_MAX * sizeof(double));
        pthread_create(&threads[i], NULL, run_crew, &crews[i]);
    }
    struct crew all = {.latency_ns = malloc(THREADS * LATENCIES_MAX * sizeof(double))};
    unsigned n = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        all.sent += crews[i].sent;
        all.accepted += crews[i].accepted;
        all.refused += crews[i].refused;
        all.late += crews[i].late;
        memcpy(all.latency_ns + n, crews[i].latency_ns, crews[i].latencies * sizeof(double));
        n += crews[i].latencies;
        free(crews[i].latency_ns);
    }
    printf("{\"batches_sent\": %llu, \"accepted\": %llu, \"refused\": %llu, \"late\": %llu, "
           "\"spans_per_batch\": %u, \"ack_p50_ms\": %.2f, \"ack_p99_ms\": %.2f, "
           "\"cpu_ns\": %.0f}\n",
           (unsigned long long)all.sent, (unsigned long long)all.accepted,
           (unsigned long long)all.refused, (unsigned long long)all.late, plan.spans_per_batch,
           measure_quantile(all.latency_ns, n, 0.5) / 1e6,
           measure_quantile(all.latency_ns, n, 0.99) / 1e6, measure_cpu_ns());
    for (unsigned i = 0; i < plan.agents; i++)
        link_client_destroy(&agents[i].link);
    free(all.latency_ns);
    free(agents);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* LTTng-UST beside us: a span as two events, begin and end, with the ids and the two attributes
 * that bench_record's span carries. Run under a session that enables them (script/bench does);
 * without one it shows what a disabled tracepoint costs. */
#define LTTNG_UST_TRACEPOINT_DEFINE
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#include "bench/record_lttng_events.h"

#include "bench/measure.h"

enum { RUNS = 101, SPANS = 1000 };

static double run(void)
{
    static uint64_t id;
    double start = measure_wall_ns();
    for (int i = 0; i < SPANS; i++) {
        id += 0x9e3779b97f4a7c15u;
        lttng_ust_tracepoint(weft_bench, begin, id, id ^ 1, id ^ 2, i, "/dashboard");
        lttng_ust_tracepoint(weft_bench, end, id);
    }
    return (measure_wall_ns() - start) / SPANS;
}

int main(void)
{
    double values[RUNS];
    run();
    for (int i = 0; i < RUNS; i++) {
        struct timespec pause = {.tv_nsec = 2000000}; /* its consumer empties the buffers */
        values[i] = run();
        nanosleep(&pause, NULL);
    }
    printf("%.1f\n", measure_quantile(values, RUNS, 0.5));
    return 0;
}

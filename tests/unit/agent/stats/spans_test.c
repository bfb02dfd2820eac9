// SPDX-License-Identifier: Apache-2.0
/* From libweft's calls through a slab to the rows of the statistics. */
#include "agent/stats/spans.h"

#include "agent/convert.h"
#include "tests/unit/agent/stats/rows.h"
#include "tests/unit/slab_fixture.h"
#include "weft/weft.h"

static struct recording_process *process;
static struct host_clock host;
static struct rows rows;
static uint32_t serial;

static int begin_all(void **state)
{
    (void)state;
    enum slab_error error;
    const char *why;
    fixture_begin();
    setenv("WEFT_SERVICE", "cell", 1);
    setenv("WEFT_VERSION", "1.4", 1);
    setenv("WEFT_CELL", "c7", 1);
    weft_end(weft_begin(WEFT_NAME("first"), WEFT_INTERNAL));
    int directory = open(fixture_directory, O_RDONLY | O_DIRECTORY);
    process = recording_process_open(directory, fixture_file(0), &error, &why);
    close(directory);
    host_clock_init(&host, (enum slab_clock)process->file->clock);
    return process ? 0 : -1;
}

static int end_all(void **state)
{
    (void)state;
    recording_process_close(&process);
    fixture_end();
    return 0;
}

/* What was swept counts nowhere from now on. */
static void sweep(bool look, enum span_status open_status)
{
    struct batch_builder *b = batch_builder_create();
    struct conversion c = {.builder = b,
                           .serial = ++serial,
                           .clock = &host,
                           .process = process,
                           .marks = &process->batch,
                           .open_status = open_status,
                           .open_end_unix_ns = host_clock_now_unix_ns(),
                           .count = true};
    bool more;
    assert_int_equal(slab_sweep(process->reader, convert_record, &c, SIZE_MAX, &more), SLAB_OK);
    if (look)
        assert_int_equal(slab_look(process->reader, false, convert_record, &c), SLAB_OK);
    assert_int_equal(slab_release(process->reader), SLAB_OK);
    batch_builder_destroy(&b);
}

static int begin(void **state)
{
    (void)state;
    struct process_identity identity;
    sweep(false, SPAN_UNSET);
    rows_begin(&rows, 1000);
    process_identity_read(&identity, process->reader);
    process->spans = span_counts_create(rows.table, process->reader, &identity);
    return process->spans ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    span_counts_destroy(&process->spans);
    cells_fini(&process->cells);
    rows_end(&rows);
    return 0;
}

#define OWN "cell=c7,host=box,"

static void every_span_is_counted_by_name_kind_and_status(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        weft_span s = weft_begin(WEFT_NAME("GET /post"), WEFT_SERVER);
        if (i % 10 == 0)
            weft_set_status(s, WEFT_ERROR, NULL);
        weft_end(s);
    }
    sweep(false, SPAN_UNSET);
    rows_round(&rows);
    assert_row(&rows,
               "traces_span_metrics_calls_total{" OWN "service_name=cell,"
               "span_kind=SPAN_KIND_SERVER,span_name=GET /post,status_code=STATUS_CODE_UNSET,"
               "version=1.4}",
               SAMPLE_DELTA, 90);
    assert_row(&rows,
               "traces_span_metrics_calls_total{" OWN "service_name=cell,"
               "span_kind=SPAN_KIND_SERVER,span_name=GET /post,status_code=STATUS_CODE_ERROR,"
               "version=1.4}",
               SAMPLE_DELTA, 10);
    uint32_t row = rows_find(&rows, "traces_span_metrics_duration_seconds{" OWN "service_name=cell,"
                                    "span_kind=SPAN_KIND_SERVER,span_name=GET /post,"
                                    "status_code=STATUS_CODE_UNSET,version=1.4}");
    assert_int_not_equal(row, BATCH_NONE);
    const struct batch_samples *s = &rows.batch->samples;
    const struct batch_histogram_view *h = &s->histograms[s->histogram[row]];
    uint64_t counted = h->zeros;
    for (uint32_t i = 0; i < h->positive; i++)
        counted += s->bucket_count[h->first + i];
    assert_int_equal(counted, 90);
    assert_true(s->exemplar_count > 0);
}

static void a_span_that_died_is_an_error_and_says_so(void **state)
{
    (void)state;
    weft_span s = weft_begin_detached(WEFT_NAME("work"), WEFT_INTERNAL, NULL);
    sweep(true, SPAN_DIED);
    rows_round(&rows);
    assert_row(&rows,
               "traces_span_metrics_calls_total{cell=c7,died=true,host=box,service_name=cell,"
               "span_kind=SPAN_KIND_INTERNAL,span_name=work,status_code=STATUS_CODE_ERROR,"
               "version=1.4}",
               SAMPLE_DELTA, 1);
    weft_end(s);
}

static void a_call_of_a_database_is_an_edge(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        weft_span s = weft_begin(WEFT_NAME("GET"), WEFT_CLIENT);
        weft_set_string(s, WEFT_NAME("db.system"), "redis");
        if (i == 0)
            weft_set_string(s, WEFT_NAME("peer.service"), "sessions");
        if (i == 2)
            weft_set_status(s, WEFT_ERROR, NULL);
        weft_end(s);
    }
    sweep(false, SPAN_UNSET);
    rows_round(&rows);
#define REDIS "{client=cell,connection_type=database,host=box,server=redis}"
    assert_row(&rows, "traces_service_graph_request_total" REDIS, SAMPLE_DELTA, 2);
    assert_row(&rows, "traces_service_graph_request_failed_total" REDIS, SAMPLE_DELTA, 1);
    assert_int_not_equal(rows_find(&rows, "traces_service_graph_request_client_seconds" REDIS),
                         BATCH_NONE);
    assert_row(&rows,
               "traces_service_graph_request_total{client=cell,connection_type=database,host=box,"
               "server=sessions}",
               SAMPLE_DELTA, 1);
}

static void a_call_whose_caller_is_known_is_an_edge_on_the_servers_side(void **state)
{
    (void)state;
    struct weft_context from;
    assert_int_equal(
        weft_extract_traceparent(&from, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                 "vendor=x,weft=web%20%2F%Z,other=y"),
        0);
    weft_end(weft_begin_from(WEFT_NAME("serve"), WEFT_SERVER, &from));
    weft_end(weft_begin_from(WEFT_NAME("serve"), WEFT_SERVER, NULL)); /* nobody knows whose */
    sweep(false, SPAN_UNSET);
    rows_round(&rows);
    assert_row(&rows, "traces_service_graph_request_total{client=web /%Z,host=box,server=cell}",
               SAMPLE_DELTA, 1);
    assert_row(&rows,
               "traces_service_graph_request_failed_total{client=web /%Z,host=box,server=cell}",
               SAMPLE_DELTA, 0);
}

static void serve_for(const char *caller)
{
    struct weft_context from;
    char tracestate[64];
    snprintf(tracestate, sizeof tracestate, "weft=%s", caller);
    assert_int_equal(
        weft_extract_traceparent(&from, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                 tracestate),
        0);
    weft_end(weft_begin_from(WEFT_NAME("serve"), WEFT_SERVER, &from));
}

/* How many rows of the last round are of this metric, whatever their labels. */
static unsigned rows_of(const char *metric)
{
    unsigned count = 0;
    char text[512];
    for (uint32_t i = 0; i < rows.batch->samples.count; i++) {
        rows_name(&rows, rows.batch->samples.series_of[i], text);
        count += strncmp(text, metric, strlen(metric)) == 0 && text[strlen(metric)] == '{';
    }
    return count;
}

/* An edge's labels tell no version: a row for each would be the same series twice. */
static void processes_of_two_versions_count_in_one_edge(void **state)
{
    (void)state;
    struct process_identity identity;
    process_identity_read(&identity, process->reader);
    snprintf(identity.version, sizeof identity.version, "1.5");
    struct span_counts *first = process->spans;
    struct span_counts *second = span_counts_create(rows.table, process->reader, &identity);
    assert_non_null(second);
    serve_for("web");
    sweep(false, SPAN_UNSET);
    process->spans = second;
    serve_for("web");
    serve_for("web");
    sweep(false, SPAN_UNSET);
    process->spans = first;
    rows_round(&rows);
    assert_row(&rows, "traces_service_graph_request_total{client=web,host=box,server=cell}",
               SAMPLE_DELTA, 3);
    assert_int_equal(rows_of("traces_service_graph_request_total"), 1);
    assert_int_equal(rows_of("traces_service_graph_request_server_seconds"), 1);
    assert_int_equal(rows_of("traces_span_metrics_calls_total"), 2);
    span_counts_destroy(&second);
}

/* All series that the metric may have, of nobody: they end when they were silent for long. */
static void occupy(const char *name, enum stats_naming naming)
{
    struct stats_metric_info info = {.name = name, .type = METRIC_COUNTER, .naming = naming};
    struct stats_metric *m = stats_own_metric(rows.table, &info);
    for (const char *value = "xy"; *value; value++) {
        struct stats_label label = {{"k", 1}, {value, 1}};
        assert_non_null(stats_find(rows.table, m, NULL, &label, 1));
    }
}

static void what_is_refused_is_counted_each_time_and_found_when_there_is_room(void **state)
{
    (void)state;
    static const char *const metrics[] = {"traces_service_graph_request_total",
                                          "traces_span_metrics_calls_total"};
    static const char *const told[] = {
        "traces_service_graph_request_total{client=web,host=box,server=cell}",
        "traces_span_metrics_calls_total{" OWN "service_name=cell,span_kind=SPAN_KIND_SERVER,"
        "span_name=serve,status_code=STATUS_CODE_UNSET,version=1.4}"};
    struct process_identity identity;
    char refused[128];
    span_counts_destroy(&process->spans);
    rows_end(&rows);
    rows_begin(&rows, 2);
    process_identity_read(&identity, process->reader);
    process->spans = span_counts_create(rows.table, process->reader, &identity);
    occupy(metrics[0], STATS_HOST_ONLY);
    occupy(metrics[1], STATS_SERVICE_NAME);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++)
            serve_for("web");
        sweep(false, SPAN_UNSET);
        rows_round(&rows);
        for (int i = 0; i < 2; i++) {
            snprintf(refused, sizeof refused,
                     "weft_agent_series_refused_total{host=box,metric=%s,reason=series_limit}",
                     metrics[i]);
            assert_row(&rows, refused, SAMPLE_DELTA, 3);
            assert_int_equal(rows_find(&rows, told[i]), BATCH_NONE);
        }
    }
    for (int i = 0; i < 25; i++)
        rows_round(&rows);
    serve_for("web");
    sweep(false, SPAN_UNSET);
    rows_round(&rows);
    for (int i = 0; i < 2; i++)
        assert_row(&rows, told[i], SAMPLE_DELTA, 1);
}

static void what_a_service_counts_is_told_with_its_labels(void **state)
{
    (void)state;
    weft_counter_add(WEFT_COUNTER("posts_total", "kind", "photo"), 7);
    weft_gauge_set(WEFT_GAUGE("queue_length"), 3.5);
    weft_histogram_record(WEFT_HISTOGRAM("post_bytes"), 1000);
    weft_describe("posts_total", NULL, "Posts that were made.");
    struct stats_identity *identity = span_counts_identity(process->spans);
    size_t bytes = 0;
    assert_int_equal(cells_take(&process->cells, rows.table, identity, process->reader, &bytes),
                     SLAB_OK);
    assert_true(slab_stats_held(process->reader));
    assert_true(bytes > 100 && bytes < 1000);
    assert_int_equal(slab_stats_commit(process->reader), SLAB_OK);
    rows_round(&rows);
    assert_row(&rows, "posts_total{" OWN "kind=photo,service=cell,version=1.4}", SAMPLE_DELTA, 7);
    assert_row(&rows, "queue_length{" OWN "service=cell,version=1.4}", SAMPLE_VALUE, 3.5);
    assert_row(&rows, "post_bytes{" OWN "service=cell,version=1.4}", SAMPLE_HISTOGRAM_DELTA, 1000);
    weft_counter_add(WEFT_COUNTER("posts_total", "kind", "photo"), 1);
    assert_int_equal(cells_take(&process->cells, rows.table, identity, process->reader, &bytes),
                     SLAB_OK);
    rows_round(&rows);
    assert_row(&rows, "posts_total{" OWN "kind=photo,service=cell,version=1.4}", SAMPLE_DELTA, 1);
    assert_row(&rows, "queue_length{" OWN "service=cell,version=1.4}", SAMPLE_VALUE, 3.5);
}

static void the_kernel_says_what_a_process_uses(void **state)
{
    (void)state;
    struct proc proc = {0};
    struct stats_identity *identity = span_counts_identity(process->spans);
    struct proc_socket_counts counts = {.by_kind = {[PROC_TCP_LISTENING] = 3}};
    proc_round(&proc, rows.table, identity, (uint32_t)getpid(), &counts);
    proc_began(rows.table, identity);
    rows_round(&rows);
    assert_row(&rows, "process_sockets{" OWN "kind=listening,service=cell,version=1.4}",
               SAMPLE_VALUE, 3);
    assert_row(&rows, "process_starts_total{" OWN "service=cell,version=1.4}", SAMPLE_DELTA, 1);
    assert_row(&rows, "weft_processes{" OWN "service=cell,version=1.4}", SAMPLE_VALUE, 1);
    const char *const above_zero[] = {
        "process_resident_memory_bytes{" OWN "service=cell,version=1.4}",
        "process_open_fds{" OWN "service=cell,version=1.4}",
        "process_threads{" OWN "service=cell,version=1.4}",
        "process_context_switches_total{" OWN "kind=voluntary,service=cell,version=1.4}"};
    for (size_t i = 0; i < sizeof above_zero / sizeof *above_zero; i++) {
        uint32_t row = rows_find(&rows, above_zero[i]);
        assert_int_not_equal(row, BATCH_NONE);
        assert_true(rows.batch->samples.value[row] > 0 || i == 3);
    }
    assert_int_not_equal(
        rows_find(&rows, "process_cpu_seconds_total{" OWN "mode=user,service=cell,version=1.4}"),
        BATCH_NONE);
}

static void processor_time_is_settled_and_counted_once(void **state)
{
    static const char user[] =
        "process_cpu_seconds_total{" OWN "mode=user,service=cell,version=1.4}";
    (void)state;
    struct proc proc = {.user_s = 2};
    struct stats_identity *identity = span_counts_identity(process->spans);
    proc_settle_cpu(&proc, rows.table, identity, 5, 0);
    proc_settle_cpu(&proc, rows.table, identity, 5, 0);
    proc_settle_cpu(&proc, rows.table, identity, 4, 0); /* of less there is nothing to take back */
    rows_round(&rows);
    assert_row(&rows, user, SAMPLE_DELTA, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_span_is_counted_by_name_kind_and_status, begin, end),
        cmocka_unit_test_setup_teardown(processor_time_is_settled_and_counted_once, begin, end),
        cmocka_unit_test_setup_teardown(a_span_that_died_is_an_error_and_says_so, begin, end),
        cmocka_unit_test_setup_teardown(a_call_of_a_database_is_an_edge, begin, end),
        cmocka_unit_test_setup_teardown(a_call_whose_caller_is_known_is_an_edge_on_the_servers_side,
                                        begin, end),
        cmocka_unit_test_setup_teardown(processes_of_two_versions_count_in_one_edge, begin, end),
        cmocka_unit_test_setup_teardown(
            what_is_refused_is_counted_each_time_and_found_when_there_is_room, begin, end),
        cmocka_unit_test_setup_teardown(what_a_service_counts_is_told_with_its_labels, begin, end),
        cmocka_unit_test_setup_teardown(the_kernel_says_what_a_process_uses, begin, end),
    };
    return cmocka_run_group_tests(tests, begin_all, end_all);
}

// SPDX-License-Identifier: Apache-2.0
/* Apps: clients that share a stream, and go on where they were. */
#include "tests/unit/collector/firehose/stream.h"
#include "tests/unit/directory.h"

static void an_app_goes_on_where_it_was_also_after_a_restart(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    for (int i = 0; i < 12; i++) {
        stream_append(f, 151);
        struct firehose_client *c = stream_attach(f, app("a"));
        read_some(c, &r, r.spans + 60); /* a block or so; then the rest is left */
        struct buffer out = {0};
        if (i % 2 == 0) { /* taken, as the next was asked for */
            assert_true(firehose_next(c, &out));
            receive(&r, out.data, out.length);
        }
        buffer_fini(&out);
        if (i % 3 == 0) {
            firehose_stop(f->firehose, 0);
            struct buffer none = {0};
            assert_false(firehose_next(c, &none)); /* so what came before has arrived */
            stream_detach(f, c);
            stream_close(f);
            stream_open(f);
        } else {
            read_some(c, &r, UINT64_MAX);
            leave(f, c, 0);
        }
    }
    struct firehose_client *c = stream_attach(f, app("a"));
    read_all(c, &r);
    assert_each_once(&r, 1, f->spans);
    assert_int_equal(r.spans, f->spans);
    leave(f, c, 0);
    received_fini(&r);
}

static void lines_that_were_not_acknowledged_whole_come_again(void **state)
{
    struct stream_fixture *f = *state;
    for (unsigned behind = 0; behind < 20000; behind += 1777) {
        struct received r = received_begin();
        struct buffer written = {0}, out = {0};
        stream_append(f, 300);
        struct firehose_client *c = stream_attach(f, app("a"));
        struct wire *w = calloc(1, sizeof *w);
        atomic_store(&w->behind, behind);
        use_wire(c, w, false);
        for (int block = 0; block < 3; block++) {
            buffer_append(&written, out.data, out.length); /* as the next one is asked for */
            buffer_clear(&out);
            assert_true(firehose_next(c, &out));
        }
        atomic_store(&w->left, true);
        receive(&r, written.data, written.length - behind);
        buffer_clear(&r.line);
        leave(f, c, 0);
        c = stream_attach(f, app("a"));
        read_all(c, &r);
        assert_each_once(&r, f->spans - 299, f->spans);
        assert_int_equal(r.spans, 300);
        leave(f, c, 0);
        buffer_fini(&written);
        buffer_fini(&out);
        received_fini(&r);
    }
}

/* Each block has 8 bytes more around it on the way, and the first has headers in front. */
static void what_the_connection_adds_is_not_taken_for_lines(void **state)
{
    struct stream_fixture *f = *state;
    for (int acknowledged = 0; acknowledged <= 3; acknowledged++) {
        struct received r = received_begin();
        struct buffer out = {0};
        unsigned ends[5] = {0};
        stream_append(f, 300);
        struct firehose_client *c = stream_attach(f, app("a"));
        struct wire *w = calloc(1, sizeof *w);
        use_wire(c, w, true);
        for (int block = 0; block < 4; block++) { /* the client is gone, which is not seen yet */
            atomic_store(&w->written, ends[block]);
            atomic_store(&w->behind, block > acknowledged ? ends[block] - ends[acknowledged] : 0);
            buffer_clear(&out);
            assert_true(firehose_next(c, &out));
            ends[block + 1] = ends[block] + (unsigned)out.length + (block == 0 ? 308 : 8);
            if (block < acknowledged)
                receive(&r, out.data, out.length);
        }
        atomic_store(&w->left, true);
        leave(f, c, 0);
        c = stream_attach(f, app("a"));
        read_all(c, &r);
        assert_each_once(&r, f->spans - 299, f->spans);
        assert_int_equal(r.spans, 300);
        leave(f, c, 0);
        buffer_fini(&out);
        received_fini(&r);
    }
}

static int no_spans(void *context, const struct batch *batch, uint64_t *rows)
{
    (void)context;
    memset(rows, 0, (batch->span_count + 63) / 64 * 8);
    return 0;
}

static void what_a_filter_leaves_out_is_not_read_again(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    stream_append(f, 200);
    struct firehose_request request = app("a");
    request.filter.select = no_spans;
    struct firehose_client *c = stream_attach(f, request);
    read_all(c, &r);
    leave(f, c, 0);
    c = stream_attach(f, app("a"));
    read_all(c, &r);
    assert_int_equal(r.spans, 0);
    leave(f, c, 0);
    received_fini(&r);
}

static void a_known_app_is_rewound_only_where_that_is_said(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    stream_append(f, 10);
    struct firehose_client *c = stream_attach(f, app("a")), *other;
    read_all(c, &r);
    struct firehose_request again = app("a");
    again.rewind = true;
    again.format = &firehose_json;
    char why[256];
    assert_int_equal(firehose_attach(f->firehose, &again, &other, why, sizeof why), FIREHOSE_EBUSY);
    leave(f, c, 0);
    c = stream_attach(f, again);
    read_all(c, &r);
    assert_int_equal(r.spans, 20);
    leave(f, c, 0);
    assert_int_equal(firehose_forget(f->firehose, "a"), FIREHOSE_OK);
    c = stream_attach(f, app("a"));
    read_all(c, &r);
    assert_int_equal(r.spans, 30);
    assert_int_equal(firehose_forget(f->firehose, "a"), FIREHOSE_EBUSY);
    leave(f, c, 0);
    received_fini(&r);
}

static void apps_do_not_concern_each_other(void **state)
{
    struct stream_fixture *f = *state;
    struct received a = received_begin(), b = received_begin();
    stream_append(f, 50);
    struct firehose_client *x = stream_attach(f, app("a")), *y = stream_attach(f, app("b"));
    read_all(x, &a);
    read_all(y, &b);
    assert_each_once(&a, 1, 50);
    assert_each_once(&b, 1, 50);
    stream_detach(f, x);
    stream_detach(f, y);
    wait_for_clients(f, 0);
    received_fini(&a);
    received_fini(&b);
}

static void sixteen_share_an_app_and_the_seventeenth_is_refused(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    struct firehose_client *c[16], *more;
    char why[256] = "";
    stream_append(f, 2000);
    for (int i = 0; i < 16; i++)
        c[i] = stream_attach(f, app("a"));
    struct firehose_request request = app("a");
    request.format = &firehose_json;
    assert_int_equal(firehose_attach(f->firehose, &request, &more, why, sizeof why),
                     FIREHOSE_EFULL);
    assert_non_null(strstr(why, "16 clients"));
    for (int i = 0; i < 16; i++) {
        uint64_t before = r.spans;
        read_all(c[i], &r);
        assert_true(r.spans > before); /* everybody has some */
    }
    assert_int_equal(r.spans, 2000);
    assert_each_once(&r, 1, 2000);
    leave(f, c[7], 15);
    more = stream_attach(f, request);
    read_all(more, &r);
    c[7] = more;
    for (int i = 0; i < 16; i++)
        stream_detach(f, c[i]);
    wait_for_clients(f, 0);
    received_fini(&r);
}

static void partitions_go_from_one_to_another_without_a_loss_or_a_double(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    struct firehose_client *c[16] = {0};
    unsigned clients = 0;
    uint64_t random = 12345;
    for (int round = 0; round < 300; round++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        unsigned what = (unsigned)(random >> 40);
        stream_append(f, 1 + what % 50);
        if (clients < 16 && (clients == 0 || what % 3 == 0)) {
            c[clients++] = stream_attach(f, app("a"));
        } else if (what % 3 == 1 && what % 7 < 2) {
            unsigned which = (what >> 8) % clients;
            read_some(c[which], &r, UINT64_MAX); /* it has all that it was sent */
            leave(f, c[which], clients - 1);
            c[which] = c[--clients];
        }
        if (clients > 0)
            read_some(c[(what >> 4) % clients], &r, r.spans + 40);
    }
    for (int turn = 0; turn < 3; turn++) {
        for (unsigned i = 0; i < clients; i++)
            read_all(c[i], &r);
    }
    assert_int_equal(r.spans, f->spans);
    assert_each_once(&r, 1, f->spans);
    for (unsigned i = 0; i < clients; i++)
        stream_detach(f, c[i]);
    wait_for_clients(f, 0);
    received_fini(&r);
}

static void a_gap_is_told_once_and_the_app_goes_on_behind_it(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    stream_close(f);
    f->limit_bytes = 40 << 10;
    f->segment_bytes = 8 << 10;
    stream_open(f);
    stream_append(f, 10);
    struct firehose_client *c = stream_attach(f, app("a"));
    read_all(c, &r);
    leave(f, c, 0);
    stream_close(f);
    stream_open(f); /* and over a restart */
    for (int i = 0; i < 100; i++) {
        stream_append(f, 100);
        ledger_retain(f->ledger, UINT64_MAX, clock_unix_ns());
    }
    for (int i = 0; i < 2; i++) {
        c = stream_attach(f, app("a"));
        read_all(c, &r);
        leave(f, c, 0);
    }
    assert_int_equal(r.gaps, 1);
    assert_int_equal(r.spans + r.gap_spans, f->spans);
    received_fini(&r);
}

static void a_ledger_begun_anew_is_all_new_to_an_app(void **state)
{
    struct stream_fixture *f = *state;
    struct received r = received_begin();
    stream_append(f, 500);
    struct firehose_client *c = stream_attach(f, app("a"));
    read_all(c, &r);
    leave(f, c, 0);
    stream_close(f);
    char ledger[128];
    snprintf(ledger, sizeof ledger, "%s/ledger", f->directory);
    assert_int_equal(directory_remove(ledger), 0);
    stream_open(f);
    stream_append(f, 100);
    c = stream_attach(f, app("a"));
    read_all(c, &r);
    assert_int_equal(r.spans, 600);
    leave(f, c, 0);
    received_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stream_setup, stream_teardown)
        TEST(an_app_goes_on_where_it_was_also_after_a_restart),
        TEST(lines_that_were_not_acknowledged_whole_come_again),
        TEST(what_the_connection_adds_is_not_taken_for_lines),
        TEST(what_a_filter_leaves_out_is_not_read_again),
        TEST(a_known_app_is_rewound_only_where_that_is_said),
        TEST(apps_do_not_concern_each_other),
        TEST(sixteen_share_an_app_and_the_seventeenth_is_refused),
        TEST(partitions_go_from_one_to_another_without_a_loss_or_a_double),
        TEST(a_gap_is_told_once_and_the_app_goes_on_behind_it),
        TEST(a_ledger_begun_anew_is_all_new_to_an_app),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

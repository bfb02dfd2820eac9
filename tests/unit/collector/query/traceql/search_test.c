// SPDX-License-Identifier: Apache-2.0
/* What searches find, in three small traces. An answer is written as the numbers of its traces,
 * newest first, each with its sets of spans by their names: "1(web auth) 0(db)". */
#include "collector/query/traceql/print.h"
#include "tests/unit/collector/query/traceql/three_traces.h"

/* ---- answers as text --------------------------------------------------------------------- */

static struct traceql_options everything(void)
{
    return (struct traceql_options){.end_unix_ns = UINT64_MAX, .threads = 1};
}

static void write_answer(const struct traceql_search *a, bool notes, struct buffer *out)
{
    for (uint32_t i = 0; i < a->count; i++) {
        const struct traceql_found *t = a->traces[i];
        buffer_printf(out, "%s%d", i ? " " : "", (int)t->trace.id.lo - 1);
        for (uint32_t j = 0; j < t->set_count; j++) {
            const struct traceql_spanset *set = &t->sets[j];
            buffer_byte(out, '(');
            for (uint32_t k = 0; k < set->span_count; k++)
                buffer_printf(out, "%s%.*s", k ? " " : "", (int)set->spans[k].name.length,
                              set->spans[k].name.bytes);
            for (uint32_t k = 0; notes && k < set->note_count; k++) {
                buffer_printf(out, " %.*s=", (int)set->notes[k].name.length,
                              set->notes[k].name.bytes);
                traceql_print_value(out, &set->notes[k].value);
            }
            buffer_byte(out, ')');
        }
    }
    buffer_cstring(out);
}

/* False, told, where something else is found. */
static bool expect(struct block *block, const char *text, const char *expected, bool notes)
{
    struct arena arena;
    struct buffer out = {0};
    struct traceql_search answer;
    struct traceql_blocks blocks = {&block, NULL, 1};
    struct traceql_source source = traceql_source_of_blocks(&blocks);
    struct traceql_options options = everything();
    arena_init(&arena, 4096);
    assert_true(traceql_search(parsed(&arena, text), &source, &options, 20, 20, &answer));
    assert_int_equal(answer.end, TRACEQL_END_ALL);
    write_answer(&answer, notes, &out);
    bool right = strcmp(buffer_cstring(&out), expected) == 0;
    if (!right)
        print_error("%s\nfinds    %s\nnot      %s\n", text, buffer_cstring(&out), expected);
    buffer_fini(&out);
    traceql_search_fini(&answer);
    arena_fini(&arena);
    return right;
}

struct question {
    const char *query, *finds;
};

static void expect_all(const struct question *questions, size_t count, bool notes)
{
    struct block_by_hand h = three_traces();
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++)
        wrong += !expect(h.block, questions[i].query, questions[i].finds, notes);
    block_by_hand_fini(&h);
    assert_int_equal(wrong, 0);
}
#define EXPECT_ALL(questions, notes)                                                               \
    expect_all(questions, sizeof(questions) / sizeof *(questions), notes)

/* ---- filters ----------------------------------------------------------------------------- */

static void intrinsics_are_compared(void **state)
{
    (void)state;
    static const struct question questions[] = {
        {"{ }", "2(late dead now later) 1(api auth) 0(web auth db net disk render)"},
        {"{ true }", "2(late dead now later) 1(api auth) 0(web auth db net disk render)"},
        {"{ false }", ""},
        {"{ 1 + 1 = 2 && name = \"api\" }", "1(api)"},
        {"{ name = \"auth\" }", "1(auth) 0(auth)"},
        {"{ name != \"auth\" }", "2(late dead now later) 1(api) 0(web db net disk render)"},
        {"{ name = \"nobody\" }", ""},
        {"{ name =~ \"a.*\" }", "1(api auth) 0(auth)"},
        {"{ name !~ \".*[aet].*\" }", "2(now) 0(db disk)"},
        {"{ name > \"later\" }", "2(now) 0(web net render)"},
        {"{ \"later\" <= name && name < \"now\" }", "2(later) 0(net)"},
        {"{ status = error }", "0(web db)"},
        {"{ status = ok }", "0(auth)"},
        {"{ status = died || status = in_flight }", "2(dead now)"},
        {"{ status != unset && status != error }", "2(dead now) 0(auth)"},
        {"{ statusMessage = \"\" && name = \"web\" }", "0(web)"},
        {"{ kind = server }", "1(api) 0(web)"},
        {"{ kind = unspecified }", ""},
        {"{ kind != unspecified && name = \"web\" }", "0(web)"},
        {"{ duration > 50ms }", "0(web db)"},
        {"{ duration >= 50ms }", "0(web db net)"},
        {"{ duration = 100ms || duration < 0.005s }", "2(dead now) 0(web)"},
        {"{ duration = 100000000 }", "0(web)"},
        {"{ duration > 59999999.5 }", "0(web db)"},
        {"{ 99ms < duration }", "0(web)"},
        {"{ duration != 10ms && kind = client }", "0(db)"},
        {"{ traceDuration = 30ms }", "1(api auth)"},
        {"{ trace:duration >= 100ms && kind = client }", "0(auth db)"},
        {"{ rootName = \"web\" && status = error }", "0(web db)"},
        {"{ rootServiceName = \"web\" && name = \"auth\" }", "1(auth) 0(auth)"},
        {"{ rootName != \"web\" }", "1(api auth)"}, /* 2 has no root: nothing compares with it */
        {"{ rootName = nil }", "2(late dead now later)"},
        {"{ span:id = \"3\" }", "0(db)"},
        {"{ span:id = \"0000000000000003\" || span:id = \"B\" }", "1(api) 0(db)"},
        {"{ span:id = \"xyz\" }", ""},
        {"{ span:id =~ \"0+[12]\" }", "0(web auth)"},
        {"{ span:parentID = \"1\" }", "0(auth db render)"},
        {"{ span:parentID = \"63\" }", "2(late later)"},
        {"{ span:parentID = nil }", "1(api) 0(web)"},
        {"{ span:parentID != \"1\" && span:parentID != \"63\" }",
         "2(dead now) 1(auth) 0(net disk)"},
        {"{ parent = nil }", "1(api) 0(web)"},
        {"{ parent != nil && status != unset }", "2(dead now) 0(auth db)"},
        {"{ trace:id = \"18f0000000000000000000000000002\" && kind = client }", "1(auth)"},
        {"{ trace:id != \"18f0000000000000000000000000002\" && kind = client }", "0(auth db)"},
        {"{ trace:id =~ \"018f0*1\" && kind = client }", "0(auth db)"},
        {"{ span:childCount = 0 }", "2(now later) 1(auth) 0(auth net disk render)"},
        {"{ span:childCount > 2 }", "0(web)"},
        {"{ nestedSetParent < 0 }", "1(api) 0(web)"},
        {"{ nestedSetParent = 0 }", "2(late later)"},
        {"{ nestedSetLeft = 1 }", "2(late) 1(api) 0(web)"},
        {"{ nestedSetRight - nestedSetLeft = 5 }", "2(late) 0(db)"},
        {"{ nestedSetParent = 4 && nestedSetRight = 6 || nestedSetRight = 12 }", "0(web net)"},
    };
    EXPECT_ALL(questions, false);
}

static void attributes_are_compared(void **state)
{
    (void)state;
    static const struct question questions[] = {
        {"{ span.user = \"bob\" }", "1(auth) 0(auth)"},
        {"{ span.user != \"bob\" }", "0(db)"},
        {"{ span.user = nil && kind = client }", ""},
        {"{ span.user != nil }", "1(auth) 0(auth db)"},
        {"{ span.user =~ \"b.b|x\" }", "1(auth) 0(auth)"},
        {"{ span.user !~ \"b.*\" }", "0(db)"},
        {"{ !(span.user = \"bob\") && kind = client }", "0(db)"},
        {"{ span.nowhere = \"bob\" || span.nowhere != 1 }", ""},
        {"{ span.nowhere = nil && status = error }", "0(web db)"},
        /* of any type, each compares with its own */
        {"{ span.rows = 10 }", "0(db)"},
        {"{ span.rows >= 20 }", "0(net disk)"},
        {"{ span.rows > 20ns }", "0(disk)"},
        {"{ span.rows = 30 }", "0(disk)"},
        {"{ span.rows != 30 }", "0(db net)"},
        {"{ span.rows = \"many\" }", "0(render)"},
        {"{ span.rows != \"few\" }", "0(render)"},
        {"{ span.rows < 15.5 }", "0(db)"},
        {"{ span.ratio = 0.5 || span.ratio = 1 }", "0(db)"},
        {"{ span.ratio < 1 }", "0(db)"},
        {"{ span.cached }", "0(db)"},
        {"{ !span.cached }", "0(auth)"},
        {"{ span.cached = false }", "0(auth)"},
        {"{ span.cached != true }", "0(auth)"},
        {"{ span.cached && span.rows > 5 }", "0(db)"},
        {"{ span.user || status = ok }", "0(auth)"},
        {"{ true && span.cached || status = died }", "2(dead) 0(db)"},
        /* one key, several values */
        {"{ span.tag = \"a\" }", "0(render)"},
        {"{ span.tag = \"b\" }", "0(render)"},
        {"{ span.tag != \"b\" }", ""},
        {"{ span.tag != \"c\" }", "0(render)"},
        {"{ span.tag !~ \"a|b\" }", ""},
        {"{ span.tag !~ \"x|y\" }", "0(render)"},
        /* resources */
        {"{ resource.service.name = \"db\" }", "2(late dead now later) 1(auth) 0(net disk)"},
        {"{ resource.service.name != \"db\" && kind = client }", "0(auth db)"},
        {"{ resource.cluster = nil && kind != internal }", "1(auth)"},
        {"{ resource.cores >= 8 && name = \"net\" }", "0(net)"},
        {"{ resource.process.pid = 1001 && kind = server }", "1(api) 0(web)"},
        {"{ resource.host.name = \"box1\" && resource.weft.cell = \"c1\" && kind = server && "
         "resource.service.version =~ \"1.*\" && resource.service.instance.id = \"web-1\" }",
         "1(api) 0(web)"},
        /* unscoped: the span decides before its resource */
        {"{ .user = \"eve\" }", "0(db)"},
        {"{ .shared = \"web\" }", "1(api) 0(auth db render)"},
        {"{ .shared = \"span\" }", "0(web)"},
        {"{ .shared = \"nowhere\" }", ""},
        {"{ .shared != nil && kind != internal }", "1(api) 0(web auth db)"},
        {"{ .shared = nil && kind != internal }", "1(auth)"},
        {"{ .message = \"boom\" || .ref =~ \"child.*\" || .language = \"c\" }", "0(web db net)"},
        /* events, links, scopes */
        {"{ event:name = \"retry\" }", "0(db)"},
        {"{ event:name != \"retry\" }", ""},
        {"{ event:name != \"other\" }", "0(db)"},
        {"{ event:name = nil && kind = client }", "1(auth) 0(auth)"},
        {"{ event:timeSinceStart > 5ms }", "0(db)"},
        {"{ event:timeSinceStart > 10ms }", ""},
        {"{ event.message = \"boom\" && event.attempt = 2 }", "0(db)"},
        {"{ event.message = nil && status = error }", "0(web)"},
        {"{ link:traceID = \"018f0000000000000000000000000008\" }", "0(net)"},
        {"{ link:spanID = \"abc\" }", "0(net)"},
        {"{ link:spanID != nil }", "0(net)"},
        {"{ link.ref = \"child_of\" }", "0(net)"},
        {"{ instrumentation:name = \"weft.http\" && instrumentation:version >= \"1\" }", "0(web)"},
        {"{ instrumentation.language = \"c\" }", "0(web)"},
        {"{ instrumentation:name != nil }", "0(web)"},
        /* of the parent */
        {"{ parent.name = \"db\" }", "0(net disk)"},
        {"{ parent.user = \"eve\" && duration > 20ms }", "0(net)"},
        {"{ parent.span.user = nil && kind = client }", "1(auth) 0(auth db)"},
        {"{ parent.resource.service.name = \"web\" && resource.service.name = \"db\" }",
         "1(auth) 0(net disk)"},
        {"{ parent.duration > duration * 3 }", "2(dead) 0(auth render)"},
        {"{ parent.status = died || parent.childCount = 2 }", "2(now) 0(net disk)"},
        {"{ !parent.cached }", ""},
        {"{ parent.cached }", "0(net disk)"},
    };
    EXPECT_ALL(questions, false);
}

static void expressions_are_calculated(void **state)
{
    (void)state;
    static const struct question questions[] = {
        {"{ span.rows + 1 = 11 }", "0(db)"},
        {"{ span.rows * 2 - 20 > 19 }", "0(net disk)"},
        {"{ span.rows / 3 = 3 }", "0(db)"}, /* of integers, an integer */
        {"{ span.rows / 4 = 7.5 }", "0(disk)"},
        {"{ span.rows % 3 = 1 }", "0(db)"},
        {"{ span.rows ^ 2 = 400 }", "0(net)"},
        {"{ -span.rows < -15 }", "0(net disk)"},
        {"{ span.rows / 0 != 1 }", "0(disk)"}, /* an integer by 0 is nothing; a float infinite */
        {"{ 10 * 1024 > span.rows && span.level = nil && span.rows < 2 ^ 4 }", "0(db)"},
        {"{ duration > 1ms * 50 }", "0(web db)"},
        {"{ duration / 1ms = 60 }", "0(db)"},
        {"{ span.rows * 1ms < duration }", "0(db net)"},
        {"{ span.user = resource.service.name || span.user != resource.service.name }",
         "1(auth) 0(auth db)"},
        {"{ (span.cached = true) = (status = error) && span.cached != nil }", "0(auth db)"},
        {"{ (span.rows + 1) = nil && kind = client }", "1(auth) 0(auth)"},
        {"{ (!span.cached) = true }", "0(auth)"},
        {"{ span.tag = span.tag }", "0(render)"},
        {"{ event:timeSinceStart * 2 = 10ms }", "0(db)"},
        {"{ (span.rows > 5 && span.cached) = true }", "0(db)"},
    };
    EXPECT_ALL(questions, false);
}

/* ---- sets -------------------------------------------------------------------------------- */

static void structure_is_heeded(void **state)
{
    (void)state;
    static const struct question questions[] = {
        {"{ name = \"web\" } > { }", "0(auth db render)"},
        {"{ name = \"web\" } >> { kind = internal }", "0(net disk render)"},
        {"{ status = error } >> { status = error }", "0(db)"},
        {"{ kind = internal } < { }", "2(late dead) 0(web db)"},
        {"{ name = \"disk\" } << { }", "0(web db)"},
        {"{ name = \"net\" } ~ { }", "0(disk)"},
        {"{ name = \"auth\" } ~ { }", "0(db render)"},
        {"{ } ~ { name = \"late\" }", "2(late)"}, /* two orphans of one missing parent */
        {"{ name = \"late\" } ~ { }", "2(later)"},
        {"{ name = \"web\" } ~ { name = \"web\" }", ""},
        {"{ name = \"web\" } !> { }", "2(late dead now later) 1(api auth) 0(web net disk)"},
        {"{ name = \"web\" } !>> { }", "2(late dead now later) 1(api auth) 0(web)"},
        {"{ } !< { }", "2(now later) 1(auth) 0(auth net disk render)"},
        {"{ status = error } !< { status = error }", "0(db)"},
        {"{ name = \"net\" } !<< { }",
         "2(late dead now later) 1(api auth) 0(auth net disk render)"},
        {"{ name = \"net\" } !~ { kind = internal }", "2(late dead now later) 0(net render)"},
        {"{ name = \"web\" } &> { kind = client }", "0(web auth db)"},
        {"{ name = \"web\" } &>> { kind = internal }", "0(web net disk render)"},
        {"{ name = \"disk\" } &< { }", "0(db disk)"},
        {"{ name = \"disk\" } &<< { kind = server }", "0(web disk)"},
        {"{ name = \"net\" } &~ { }", "0(net disk)"},
        {"{ kind = server } > { kind = client } > { }", "0(net disk)"},
        {"{ kind = server } > ({ kind = client } > { })", ""},
        {"{ name = \"nobody\" } >> { }", ""},
        {"{ name = \"nobody\" } !>> { kind = server }", "1(api) 0(web)"},
    };
    EXPECT_ALL(questions, false);
}

static void sets_are_joined_and_piped(void **state)
{
    (void)state;
    static const struct question questions[] = {
        {"{ status = error } && { kind = client }", "0(web auth db)"},
        {"{ name = \"api\" } && { name = \"auth\" }", "1(api auth)"},
        {"{ name = \"api\" } && { name = \"nobody\" }", ""},
        {"{ name = \"api\" } || { name = \"net\" }", "1(api) 0(net)"},
        {"{ name = \"api\" } || { name = \"auth\" } && { name = \"db\" }", "0(auth db)"},
        {"{ name = \"api\" } || ({ name = \"auth\" } && { name = \"db\" })", "1(api) 0(auth db)"},
        {"{ kind = client } | { status = error }", "0(db)"},
        {"{ kind = client } | ({ } > { })", ""}, /* only among the spans that came through */
        {"({ kind = server } | { status = error }) >> { kind = internal }", "0(net disk render)"},
        {"{ kind = client } | count() > 1", "0(auth db)"},
        {"count() = 2", "1(api auth)"},
        {"{ kind = internal } | select(span.rows) | count() >= 3",
         "2(late dead now later) 0(net disk render)"},
        {"{ } | max(duration) > 50ms | { kind = client }", "0(auth db)"},
        {"({ } | count() > 4) && { name = \"db\" }", "0(web auth db net disk render)"},
        {"({ kind = client } | count()) > ({ kind = server } | count())", "0(web auth db)"},
        {"({ kind = client } | count()) + ({ name = \"nobody\" } | count()) = 1", "1(auth)"},
        {"({ kind = internal } | sum(duration)) * 2 > 145ms", "0(net disk render)"},
    };
    EXPECT_ALL(questions, false);
}

static void aggregates_and_groups_are_told(void **state)
{
    (void)state;
    static const struct question questions[] = {
        {"{ } | count() > 2", "2(late dead now later count()=4) 0(web auth db net disk render "
                              "count()=6)"},
        {"{ span.rows != nil } | sum(span.rows) = 60", "0(db net disk render sum(span.rows)=60.0)"},
        {"{ kind = client } | sum(span.rows) > 0", "0(auth db sum(span.rows)=10)"},
        {"{ kind = internal } | min(duration) < 2ms", "2(late dead now later min(duration)=1ms)"},
        {"{ kind = internal } | avg(duration) = 25ms", "0(net disk render avg(duration)=25ms)"},
        {"{ kind = client } | avg(span.level) > 0", "0(auth db avg(span.level)=1.0)"},
        {"{ } | max(span.rows) - min(span.rows) = 20",
         "0(web auth db net disk render max(span.rows)=30.0 min(span.rows)=10)"},
        {"{ } | sum(span.nowhere) < 1", ""},
        {"{ name =~ \"web|db|net\" } | by(kind)",
         "0(web by(kind)=server)(db by(kind)=client)(net by(kind)=internal)"},
        {"{ } | by(resource.service.name) | count() > 3",
         "2(late dead now later by(resource.service.name)=\"db\" count()=4) "
         "0(web auth db render by(resource.service.name)=\"web\" count()=4)"},
        {"{ kind = client } | by(span.user)",
         "1(auth by(span.user)=\"bob\") 0(auth by(span.user)=\"bob\")(db by(span.user)=\"eve\")"},
        {"{ kind = server } | by(span.user)", "1(api by(span.user)=nil) 0(web by(span.user)=nil)"},
        {"{ name =~ \"web|db|net\" } | by(kind) | coalesce() | count() = 3",
         "0(web db net count()=3)"},
        {"{ name =~ \"web|db|net\" } | by(kind) | { status = error }",
         "0(web by(kind)=server)(db by(kind)=client)"},
        {"{ name =~ \"web|db\" } | by(kind) | by(span:id)",
         "0(web by(kind)=server by(span:id)=\"0000000000000001\")"
         "(db by(kind)=client by(span:id)=\"0000000000000003\")"},
        {"{ kind = internal } | by(duration > 10ms) | count() = 1",
         "0(render by(duration > 10ms)=false count()=1)"},
    };
    EXPECT_ALL(questions, true);
}

/* ---- answers ----------------------------------------------------------------------------- */

static const struct traceql_named *value_of(const struct traceql_span *s, const char *name)
{
    for (uint32_t i = 0; i < s->value_count; i++)
        if (s->values[i].name.length == strlen(name) &&
            memcmp(s->values[i].name.bytes, name, strlen(name)) == 0)
            return &s->values[i];
    return NULL;
}

static void a_found_trace_is_told(void **state)
{
    (void)state;
    struct block_by_hand h = three_traces();
    struct arena arena;
    struct traceql_search a;
    struct traceql_blocks blocks = {&h.block, NULL, 1};
    struct traceql_source source = traceql_source_of_blocks(&blocks);
    struct traceql_options options = everything();
    arena_init(&arena, 4096);
    assert_true(traceql_search(
        parsed(&arena, "{ span.rows > 5 } | select(resource.service.name, span.user)"), &source,
        &options, 20, 2, &a));
    assert_int_equal(a.count, 1);
    const struct traceql_found *t = a.traces[0];
    assert_int_equal(t->trace.start_unix_ns, EPOCH);
    assert_int_equal(t->trace.duration_ns, 100 * MS);
    assert_true(t->trace.has_root && t->trace.complete);
    assert_true(batch_str_is(t->trace.root_operation, "web") &&
                batch_str_is(t->trace.root_service, "web"));
    assert_int_equal(t->trace.spans, 6);
    assert_int_equal(t->trace.errors, 2);
    assert_int_equal(t->trace.service_count, 2);
    assert_true(batch_str_is(t->trace.services[0].name, "web"));
    assert_int_equal(t->trace.services[0].spans, 4);
    assert_int_equal(t->sets[0].matched, 3);
    assert_int_equal(t->sets[0].span_count, 2);
    const struct traceql_span *db = &t->sets[0].spans[0];
    assert_int_equal(db->span_id, 3);
    assert_int_equal(db->parent_id, 1);
    assert_int_equal(db->start_unix_ns, EPOCH + 20 * MS);
    assert_int_equal(db->duration_ns, 60 * MS);
    assert_int_equal(db->value_count, 3);
    assert_int_equal(value_of(db, "span.rows")->value.integer, 10);
    assert_true(batch_str_is(value_of(db, "span.user")->value.text, "eve"));
    assert_true(batch_str_is(value_of(db, "resource.service.name")->value.text, "web"));
    assert_null(value_of(&t->sets[0].spans[1], "span.user"));
    traceql_search_fini(&a);
    arena_fini(&arena);
    block_by_hand_fini(&h);
}

static void orphans_make_a_trace_incomplete(void **state)
{
    (void)state;
    struct block_by_hand h = three_traces();
    struct arena arena;
    struct traceql_search a;
    struct traceql_blocks blocks = {&h.block, NULL, 1};
    struct traceql_source source = traceql_source_of_blocks(&blocks);
    struct traceql_options options = everything();
    arena_init(&arena, 4096);
    assert_true(traceql_search(parsed(&arena, "{ status = died }"), &source, &options, 1, 1, &a));
    assert_int_equal(a.count, 1);
    assert_false(a.traces[0]->trace.has_root || a.traces[0]->trace.complete);
    assert_int_equal(a.traces[0]->trace.died, 1);
    assert_int_equal(a.traces[0]->trace.in_flight, 1);
    traceql_search_fini(&a);
    arena_fini(&arena);
    block_by_hand_fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intrinsics_are_compared),
        cmocka_unit_test(attributes_are_compared),
        cmocka_unit_test(expressions_are_calculated),
        cmocka_unit_test(structure_is_heeded),
        cmocka_unit_test(sets_are_joined_and_piped),
        cmocka_unit_test(aggregates_and_groups_are_told),
        cmocka_unit_test(a_found_trace_is_told),
        cmocka_unit_test(orphans_make_a_trace_incomplete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

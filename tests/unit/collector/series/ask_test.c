// SPDX-License-Identifier: Apache-2.0
/* The names and values of labels that matchers choose are those that a look at each series finds
 * that has samples then: in the head, in blocks, in both; over all time and over a part; with
 * deletions; where the index answers and where the series are looked through. */
#include "tests/unit/collector/series/stores.h"

#define SOON_NS 1

enum { SERIES = 3000, ROUNDS = 400 };

/* Few kinds, many ids; a kind's series lie together, those of a turn are spread. Of some kinds and
 * turns all samples are early ones. */
static void write_series(int i, char out[128])
{
    int n = snprintf(out, 128, "__name__=m%d id=i%d turn=t%d", i / 500, i, i % 17);
    if (i % 3)
        n += snprintf(out + n, 128 - (size_t)n, " host=h%d", i / 4);
    if (i / 500 == 2)
        snprintf(out + n, 128 - (size_t)n, " only=two");
}

static void append_all(struct world *w, int first, int end, int64_t offset_ms)
{
    world_begin(w);
    for (int i = first; i < end; i++) {
        char name[128];
        bool early = i / 500 == 1 || i % 17 < 3 || i % 5;
        write_series(i, name);
        assert_int_equal(world_append(w, name, SAMPLE_VALUE,
                                      BASE_MS + offset_ms + (early ? i : 10000 + i), 1, NULL),
                         SERIES_TAKEN);
    }
    series_store_commit(w->store);
}

static int by_text(const void *a, const void *b)
{
    return batch_str_compare(*(const struct batch_str *)a, *(const struct batch_str *)b);
}

/* From the series themselves; `name` NULL: names. Texts are the selection's. */
static size_t look_at_each(const struct series_selection *s, const struct batch_str *name,
                           struct batch_str *out)
{
    size_t count = 0, distinct = 0;
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->labels[i].count; k++) {
            const struct label *l = &s->labels[i].items[k];
            if (!name || batch_str_equal(l->name, *name))
                out[count++] = name ? l->value : l->name;
        }
    if (count > 1)
        qsort(out, count, sizeof *out, by_text);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || !batch_str_equal(out[i], out[distinct - 1]))
            out[distinct++] = out[i];
    return distinct;
}

static void assert_told(struct world *w, const struct batch_str *name, const struct matcher *m,
                        size_t count, int64_t from_ms, int64_t to_ms)
{
    static struct batch_str expected[SERIES * 6];
    const struct series_source *source = series_store_source(w->store);
    struct series_selection s;
    struct series_strings told;
    assert_int_equal(source->select(source->context, m, count, from_ms, to_ms, &s), SERIES_OK);
    size_t distinct = look_at_each(&s, name, expected);
    int error = name ? series_store_label_values(w->store, *name, m, count, from_ms, to_ms, &told)
                     : series_store_label_names(w->store, m, count, from_ms, to_ms, &told);
    assert_int_equal(error, SERIES_OK);
    if (told.count != distinct)
        fail_msg("%.*s with %s %.*s, from %+lld to %+lld: %zu in place of %zu",
                 name ? (int)name->length : 5, name ? name->bytes : "names", m[0].name.bytes,
                 (int)m[0].value.length, m[0].value.bytes, (long long)(from_ms - BASE_MS),
                 (long long)(to_ms - BASE_MS), told.count, distinct);
    for (size_t i = 0; i < distinct; i++)
        assert_true(batch_str_equal(told.items[i], expected[i]));
    free(told.items);
    source->close(source->context, &s);
}

static struct matcher random_matcher(uint64_t *seed, char value[32])
{
    static const char *const patterns[] = {"m[0-3]", "m.+", "m1", "m(0|5)"};
    static const char *const turns[] = {"t[0-2]", "t1.*", "", "t.", "t(3|4)"};
    switch (random_below(seed, 6)) {
    case 0:
        snprintf(value, 32, "i%d", (int)random_below(seed, SERIES));
        return matcher_by_hand(MATCH_EQUAL, "id", value);
    case 1:
        snprintf(value, 32, "m%d", (int)random_below(seed, 7));
        return matcher_by_hand(MATCH_EQUAL, LABEL_METRIC, value);
    case 2:
        return matcher_by_hand(MATCH_REGEX, LABEL_METRIC, patterns[random_below(seed, 4)]);
    case 3:
        return matcher_by_hand(MATCH_NOT_REGEX, "turn", turns[random_below(seed, 5)]);
    case 4:
        snprintf(value, 32, "h%d", (int)random_below(seed, SERIES / 4));
        return matcher_by_hand(MATCH_NOT_EQUAL, "host", value);
    default:
        snprintf(value, 32, "i%d.*", (int)random_below(seed, 30));
        return matcher_by_hand(MATCH_REGEX, "id", value);
    }
}

static void ask_at_random(struct world *w, uint64_t *seed)
{
    static const char *const names[] = {"id", "turn", "host", LABEL_METRIC, "only", "none"};
    for (int round = 0; round < ROUNDS; round++) {
        char values[2][32];
        size_t count = 1 + random_below(seed, 2);
        struct matcher m[2];
        for (size_t i = 0; i < count; i++)
            m[i] = random_matcher(seed, values[i]);
        int64_t from_ms = INT64_MIN, to_ms = INT64_MAX;
        if (random_below(seed, 2))
            from_ms = BASE_MS + (int64_t)random_below(seed, 40000);
        if (random_below(seed, 2))
            to_ms = from_ms < 0 ? BASE_MS + (int64_t)random_below(seed, 40000)
                                : from_ms + (int64_t)random_below(seed, 20000);
        uint64_t which = random_below(seed, 7);
        struct batch_str name = text(names[which % 6]);
        assert_told(w, which < 6 ? &name : NULL, m, count, from_ms, to_ms);
        for (size_t i = 0; i < count; i++)
            matcher_free(&m[i]);
    }
}

static void delete_some(struct world *w, const char *name, const char *value, int64_t from_ms,
                        int64_t to_ms)
{
    struct matcher m = matcher_by_hand(MATCH_EQUAL, name, value);
    assert_int_equal(series_store_delete(w->store, &m, 1, from_ms, to_ms), SERIES_OK);
}

static void labels_are_those_of_the_series_that_are_found(void **state)
{
    struct world w;
    uint64_t seed = 4;
    (void)state;
    world_init(&w, &(struct series_store_options){.head_bytes = 64 << 20});
    append_all(&w, 0, SERIES, 0);
    ask_at_random(&w, &seed);
    w.options.cut_after_ns = SOON_NS; /* what follows is in blocks */
    world_reopen(&w);
    w.step = 0;
    append_all(&w, 0, 2000, 0);
    world_cut(&w);
    append_all(&w, 1000, SERIES, 20000);
    world_cut(&w);
    ask_at_random(&w, &seed);
    w.options.cut_after_ns = 0; /* and in both */
    world_reopen(&w);
    append_all(&w, 500, 1500, 40000);
    ask_at_random(&w, &seed);
    delete_some(&w, LABEL_METRIC, "m1", INT64_MIN, INT64_MAX);
    delete_some(&w, "turn", "t4", BASE_MS, BASE_MS + 25000);
    ask_at_random(&w, &seed);
    append_all(&w, 400, 600, 45000);
    ask_at_random(&w, &seed);
    world_fini(&w);
}

/* What was deleted is not offered, though the time that is asked for is longer than it was. */
static void what_was_deleted_is_not_told(void **state)
{
    struct world w;
    struct series_strings s;
    struct batch_str id = text("id");
    struct matcher any = matcher_by_hand(MATCH_NOT_EQUAL, "id", "none");
    (void)state;
    world_init(&w, &(struct series_store_options){.head_bytes = 8 << 20});
    world_add(&w, "__name__=m id=a", SAMPLE_VALUE, BASE_MS, 1);
    world_add(&w, "__name__=m id=b", SAMPLE_VALUE, BASE_MS, 1);
    delete_some(&w, "id", "a", BASE_MS - 1000, BASE_MS + 1000);
    for (int i = 0; i < 2; i++) { /* in the head, and in a block */
        series_store_label_values(w.store, id, &any, 1, INT64_MIN, INT64_MAX, &s);
        assert_int_equal(s.count, 1);
        assert_true(batch_str_equal(s.items[0], text("b")));
        free(s.items);
        w.options.cut_after_ns = SOON_NS;
        world_reopen(&w);
        world_add(&w, "__name__=m id=b", SAMPLE_VALUE, BASE_MS, 1);
        world_cut(&w);
    }
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_those_of_the_series_that_are_found),
        cmocka_unit_test(what_was_deleted_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

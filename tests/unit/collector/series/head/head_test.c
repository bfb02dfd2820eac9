// SPDX-License-Identifier: Apache-2.0
#include "collector/series/head/head.h"

#include "tests/unit/collector/series/stores.h"

/* ---- slots ------------------------------------------------------------------------------- */

enum { NUMBERS = 600 };

/* Few distinct upper halves, so that slots collide. */
static uint64_t hash_of(uint32_t number)
{
    return ((uint64_t)number * 2654435761U % 97) << 32 | number;
}

static bool has(const struct slots *t, uint32_t number)
{
    uint64_t hash = hash_of(number);
    uint32_t at = slots_start(t, hash), i;
    while ((i = slots_next(t, hash, &at)) != SLOTS_NONE)
        if (i == number)
            return true;
    return false;
}

static void slots_find_what_is_in_them_and_nothing_else(void **state)
{
    struct slots t = {0};
    bool in[NUMBERS] = {false};
    uint64_t seed = 1;
    uint32_t count = 0;
    (void)state;
    assert_false(has(&t, 1));
    for (int round = 0; round < 20000; round++) {
        uint32_t number = (uint32_t)random_below(&seed, NUMBERS);
        if (in[number]) {
            slots_remove(&t, hash_of(number), number);
            count--;
        } else {
            assert_int_equal(slots_reserve(&t), 0);
            slots_insert(&t, hash_of(number), number);
            count++;
        }
        in[number] = !in[number];
        assert_int_equal(t.count, count);
        if (round % 200 == 0)
            for (uint32_t i = 0; i < NUMBERS; i++)
                assert_int_equal(has(&t, i), in[i]);
    }
    slots_fini(&t);
}

/* ---- postings ---------------------------------------------------------------------------- */

static void postings_are_what_was_added_in_each_of_their_forms(void **state)
{
    (void)state;
    for (uint32_t limit = 1; limit < 400; limit = limit * 3 + 1) {
        struct posting p = {0};
        bool in[400] = {false};
        uint64_t seed = limit;
        uint32_t count = 0;
        for (int round = 0; round < 3000; round++) {
            uint32_t number = (uint32_t)random_below(&seed, limit);
            if (in[number]) {
                posting_remove(&p, number);
                count--;
            } else {
                assert_int_equal(posting_add(&p, number), 0);
                count++;
            }
            in[number] = !in[number];
            assert_int_equal(p.count, count);
            if (round % 50)
                continue;
            roaring_bitmap_t *all = roaring_bitmap_create();
            posting_or(&p, all);
            assert_int_equal(roaring_bitmap_get_cardinality(all), count);
            for (uint32_t i = 0; i < limit; i++)
                assert_int_equal(roaring_bitmap_contains(all, i), in[i]);
            roaring_bitmap_free(all);
        }
        posting_fini(&p);
    }
}

/* ---- the head ---------------------------------------------------------------------------- */

static void add(struct head *h, const char *written, uint32_t *number)
{
    struct label_texts t;
    const struct labels *labels = labels_by_hand(&t, written);
    struct series_key key = series_key_of(labels);
    assert_int_equal(head_find(h, key), HEAD_NO_SERIES);
    *number = head_add(h, labels, key);
    assert_int_not_equal(*number, HEAD_NO_SERIES);
    assert_int_equal(head_find(h, key), *number);
}

static void series_come_and_go_and_leave_nothing(void **state)
{
    struct head h;
    uint32_t numbers[3000];
    char written[64];
    (void)state;
    assert_int_equal(head_init(&h), 0);
    uint64_t empty = 0;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3000; i++) {
            snprintf(written, sizeof written, "__name__=m%d id=%d job=a n%d=%d", i % 7, i, i % 50,
                     round);
            add(&h, written, &numbers[i]);
        }
        assert_int_equal(head_count(&h), 3000);
        assert_int_equal(h.labels.by_text.count, 3058);
        assert_int_equal(h.labels.name_count, 53);
        const struct label_name *job = label_index_name(&h.labels, text("job"));
        uint32_t pair = label_index_find(&h.labels, job, text("a"));
        assert_int_equal(label_pair(&h.labels, pair)->series.count, 3000);
        struct label items[LABELS_MAX];
        struct labels labels;
        head_labels(&h, head_series(&h, numbers[77]), items, &labels);
        assert_int_equal(labels.count, 4);
        assert_true(batch_str_is(labels.items[1].name, "id") &&
                    batch_str_is(labels.items[1].value, "77"));
        assert_int_equal(head_series(&h, numbers[77])->version, round + 1);
        for (int i = 0; i < 3000; i++)
            head_drop(&h, numbers[i]);
        assert_int_equal(head_count(&h), 0);
        assert_int_equal(h.labels.by_text.count, 0);
        assert_int_equal(h.labels.name_count, 0);
        assert_int_equal(h.labels.text_bytes, 0);
        assert_int_equal(h.pair_bytes, 0);
        if (round > 0)
            assert_int_equal(head_bytes(&h), empty);
        empty = head_bytes(&h);
    }
    head_fini(&h);
}

static void keys_do_not_know_an_order_and_join(void **state)
{
    struct label_texts a, b, all;
    (void)state;
    struct series_key x = series_key_of(labels_by_hand(&a, "a=1 b=2"));
    struct series_key y = series_key_of(labels_by_hand(&b, "c=3"));
    struct series_key z = series_key_of(labels_by_hand(&all, "c=3 b=2 a=1"));
    assert_true(series_key_equal(series_key_join(x, y), z));
    assert_true(series_key_equal(series_key_join(y, x), z));
    struct series_key swapped = series_key_of(labels_by_hand(&a, "a=2 b=1"));
    assert_false(series_key_equal(x, swapped));
    series_key_add(&x, text("d"), text(""));
    assert_true(series_key_equal(series_key_join(x, y), z));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_find_what_is_in_them_and_nothing_else),
        cmocka_unit_test(postings_are_what_was_added_in_each_of_their_forms),
        cmocka_unit_test(series_come_and_go_and_leave_nothing),
        cmocka_unit_test(keys_do_not_know_an_order_and_join),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* A changed byte, wherever it is, is an error that says where; it is never a wrong answer. */
#include "collector/traces/segment/reader.h"

#include "tests/unit/collector/traces/segment/segment_fixture.h"

struct image {
    uint8_t *bytes;
    size_t length;
};

static struct image make_image(void)
{
    struct random_spans r;
    struct image image;
    int fd;
    random_spans_init(&r, 12,
                      &(struct random_options){.traces = 16, .spans_most = 8, .richness = 2});
    struct segment_writer *w = fixture_begin(&fd, 30, 60);
    for (uint32_t i = 0; i < r.trace_count; i++)
        assert_int_equal(
            segment_writer_add(w, r.traces[i].id, i % 2 == 0, r.traces[i].rows, r.traces[i].count),
            0);
    for (uint32_t i = 0; i < 20; i++) {
        struct segment_loss loss = {.agent = {"agent", 5}, .reason = i, .count = i * 100};
        assert_int_equal(segment_writer_loss(w, &loss), 0);
    }
    struct segment *s = fixture_finish(w, dup(fd));
    image.length = segment_summary(s)->file_bytes;
    image.bytes = malloc(image.length);
    assert_int_equal(pread(fd, image.bytes, image.length, 0), image.length);
    segment_close(&s);
    close(fd);
    random_spans_fini(&r);
    return image;
}

static int file_of(const struct image *image)
{
    int fd = memfd_create("segment", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, image->bytes, image->length), image->length);
    return fd;
}

static void no_key(void *context, struct batch_str key)
{
    struct block *b = context;
    for (enum block_scope scope = BLOCK_SPAN; scope < BLOCK_SCOPES; scope++) {
        const struct block_attribute *a = block_attribute(b, scope, key.bytes, key.length);
        if (a && block_attribute_rows(b, a) && scope != BLOCK_SPAN)
            block_attribute_items(b, a);
    }
}

/* Every column of every group; false: something was wrong. */
static bool read_blocks(struct segment *s)
{
    bool good = true;
    for (uint32_t g = 0; g < segment_summary(s)->groups; g++) {
        struct block *b = segment_group(s, g);
        assert_non_null(b);
        for (enum block_u64 c = 0; c < BLOCK_U64S; c++)
            block_u64(b, c);
        for (enum block_u32 c = 0; c < BLOCK_U32S; c++)
            block_u32(b, c);
        for (enum block_u8 c = 0; c < BLOCK_U8S; c++)
            block_u8(b, c);
        for (enum block_scope scope = BLOCK_SPAN; scope < BLOCK_SCOPES; scope++)
            block_keys(b, scope, no_key, b);
        block_strings(b);
        block_processes(b);
        block_events(b);
        block_links(b);
        if (b->error) {
            assert_int_equal(b->error, BLOCK_EDAMAGED);
            assert_null(block_u64(b, BLOCK_START)); /* a block with an error stays so */
            good = false;
        }
        block_close(&b);
    }
    return good;
}

static bool read_tables(struct segment *s)
{
    struct arena arena;
    struct segment_loss *losses;
    struct segment_service *services;
    struct segment_operation *operations;
    struct block_processes processes;
    struct trace_id *ids = NULL;
    size_t count, more;
    arena_init(&arena, 4096);
    int errors[] = {segment_losses(s, &arena, &losses, &count),
                    segment_names(s, &arena, &services, &count, &operations, &more),
                    segment_processes(s, &arena, &processes), segment_continued(s, &ids, &count)};
    bool good = true;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        assert_true(errors[i] == SEGMENT_OK || errors[i] == SEGMENT_EDAMAGED);
        good = good && errors[i] == SEGMENT_OK;
    }
    free(ids);
    arena_fini(&arena);
    return good;
}

static bool read_batches(struct segment *s)
{
    struct arena arena;
    bool good = true;
    arena_init(&arena, 4096);
    for (uint32_t g = 0; g < segment_summary(s)->groups; g++) {
        struct batch *b;
        const uint32_t *parents;
        int error = segment_group_batch(s, g, &arena, &b, &parents);
        assert_true(error == SEGMENT_OK || error == SEGMENT_EDAMAGED);
        good = good && error == SEGMENT_OK;
    }
    arena_fini(&arena);
    return good;
}

static void every_byte_is_covered(void **state)
{
    (void)state;
    struct image image = make_image();
    for (size_t at = 0; at < image.length; at++) {
        char why[200] = "";
        int error = SEGMENT_OK, fd;
        image.bytes[at] ^= (uint8_t)(1 << at % 8);
        fd = file_of(&image);
        struct segment *s = segment_open(fd, &error, why, sizeof why);
        if (!s) {
            assert_true(error == SEGMENT_EDAMAGED || error == SEGMENT_EVERSION);
            assert_true(strlen(why) > 10);
            close(fd);
        } else {
            bool batches = read_batches(s), blocks = read_blocks(s), tables = read_tables(s);
            if (tables && (batches || blocks))
                fail_msg("byte %zu of %zu may be anything", at, image.length);
            assert_true(segment_damage(s, why, sizeof why));
            assert_non_null(strstr(why, "at byte "));
            segment_close(&s);
        }
        image.bytes[at] ^= (uint8_t)(1 << at % 8);
    }
    free(image.bytes);
}

/* Flips the byte at `at`, reads everything, and wants `name` and the place in what is said. */
static void check_naming(struct image *image, uint64_t at, uint64_t begin, const char *name)
{
    char why[200] = "", place[40];
    int error, fd;
    image->bytes[at] ^= 0x10;
    fd = file_of(image);
    struct segment *s = segment_open(fd, &error, why, sizeof why);
    if (s) {
        read_tables(s);
        read_blocks(s);
        assert_true(segment_damage(s, why, sizeof why));
        segment_close(&s);
    } else {
        close(fd);
    }
    snprintf(place, sizeof place, "at byte %llu", (unsigned long long)begin);
    if (!strstr(why, name) || !strstr(why, place))
        fail_msg("\"%s\" does not name \"%s\" %s", why, name, place);
    image->bytes[at] ^= 0x10;
}

static void damage_is_named_with_its_place(void **state)
{
    (void)state;
    struct image image = make_image();
    struct segment *s = fixture_open(file_of(&image));
    bool seen[SECTION_KINDS] = {false};
    for (uint32_t i = 0; i < s->footer.summary.groups; i++) {
        struct group g;
        assert_int_equal(group_open(&g, s, i, false), SEGMENT_OK);
        check_naming(&image, g.entry->offset + 5, g.entry->offset, "directory");
        for (uint32_t k = 0; k < g.section_count; k++) {
            uint64_t at = g.entry->offset + g.sections[k].offset;
            seen[g.sections[k].kind] = true;
            check_naming(&image, at + g.sections[k].length / 2, at,
                         section_name(g.sections[k].kind));
        }
        group_close(&g);
    }
    for (uint32_t i = 0; i < s->footer.table_count; i++) {
        const struct table_entry *t = &s->footer.tables[i];
        check_naming(&image, t->offset + t->length - 1, t->offset, table_name(t->kind));
    }
    check_naming(&image, 0, 0, "header");
    check_naming(&image, image.length - SEGMENT_TRAILER_BYTES - 5,
                 image.length - SEGMENT_TRAILER_BYTES -
                     get_u64(image.bytes + image.length - SEGMENT_TRAILER_BYTES),
                 "footer");
    check_naming(&image, image.length - SEGMENT_TRAILER_BYTES + 18,
                 image.length - SEGMENT_TRAILER_BYTES, "trailer");
    assert_true(seen[SECTION_VALUES] && seen[SECTION_LINK_SPAN_ID] && seen[SECTION_EVENT_TIME]);
    segment_close(&s);
    free(image.bytes);
}

static void a_file_that_was_cut_is_refused(void **state)
{
    (void)state;
    struct image image = make_image();
    size_t whole = image.length;
    for (image.length = 0; image.length < whole; image.length += 1 + image.length / 50) {
        int error, fd = file_of(&image);
        char why[200] = "";
        assert_null(segment_open(fd, &error, why, sizeof why));
        assert_int_equal(error, SEGMENT_EDAMAGED);
        assert_true(strlen(why) > 10);
        close(fd);
    }
    free(image.bytes);
}

static void a_newer_format_is_told_from_damage(void **state)
{
    (void)state;
    struct image image = make_image();
    char why[200] = "";
    int error, fd;
    put_u32(image.bytes + 8, SEGMENT_FORMAT_VERSION + 1);
    fd = file_of(&image);
    assert_null(segment_open(fd, &error, why, sizeof why));
    assert_int_equal(error, SEGMENT_EVERSION);
    assert_non_null(strstr(why, "format 2"));
    close(fd);
    free(image.bytes);
}

static void a_file_that_shrinks_while_open_is_an_error(void **state)
{
    (void)state;
    struct image image = make_image();
    int fd = file_of(&image);
    char why[200];
    struct segment *s = fixture_open(fd);
    assert_int_equal(ftruncate(fd, 100), 0);
    assert_false(read_blocks(s));
    assert_true(segment_damage(s, why, sizeof why));
    segment_close(&s);
    free(image.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_covered),
        cmocka_unit_test(damage_is_named_with_its_place),
        cmocka_unit_test(a_file_that_was_cut_is_refused),
        cmocka_unit_test(a_newer_format_is_told_from_damage),
        cmocka_unit_test(a_file_that_shrinks_while_open_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/link/keys.h"

static char directory[] = "/tmp/weft-keys-XXXXXX";
static char path[64];
static char why[256];

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof path, "%s/a.key", directory);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

static int remove_key(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static void write_text(const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

static void a_saved_key_is_loaded_again_and_private(void **state)
{
    (void)state;
    uint8_t key[LINK_KEY_BYTES], back[LINK_KEY_BYTES] = {0};
    struct stat st;
    assert_int_equal(link_key_generate(key, why, sizeof why), 0);
    assert_int_equal(link_key_save(path, key, why, sizeof why), 0);
    assert_int_equal(link_key_load(path, back, why, sizeof why), 0);
    assert_memory_equal(key, back, sizeof key);
    stat(path, &st);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(link_key_save(path, key, why, sizeof why), -1); /* never overwrites */
    assert_non_null(strstr(why, "File exists"));
}

static void two_keys_differ(void **state)
{
    (void)state;
    uint8_t a[LINK_KEY_BYTES], b[LINK_KEY_BYTES];
    link_key_generate(a, why, sizeof why);
    link_key_generate(b, why, sizeof why);
    assert_memory_not_equal(a, b, sizeof a);
}

static void a_key_that_others_may_read_is_refused(void **state)
{
    (void)state;
    uint8_t key[LINK_KEY_BYTES];
    link_key_generate(key, why, sizeof why);
    link_key_save(path, key, why, sizeof why);
    chmod(path, 0640);
    assert_int_equal(link_key_load(path, key, why, sizeof why), -1);
    assert_non_null(strstr(why, "mode 0640"));
}

static void what_is_no_key_is_refused(void **state)
{
    (void)state;
    static const char good[] = "weft-key-v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    uint8_t key[LINK_KEY_BYTES];
    write_text(good, 0600);
    assert_int_equal(link_key_load(path, key, why, sizeof why), 0);
    static const char *const bad[] = {"",
                                      "\n",
                                      "weft-key-v1:",
                                      "weft-key-v2:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                                      "weft-key-v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA===",
                                      "weft-key-v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=x",
                                      "weft-key-v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA*="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_text(bad[i], 0600);
        assert_int_equal(link_key_load(path, key, why, sizeof why), -1);
        assert_non_null(strstr(why, "expected one line"));
    }
    unlink(path);
    assert_int_equal(link_key_load(path, key, why, sizeof why), -1);
    assert_int_equal(link_key_load(directory, key, why, sizeof why), -1);
}

static void an_agent_id_cannot_leave_its_directory(void **state)
{
    (void)state;
    assert_true(link_agent_id_is_valid("box-7.example_org"));
    assert_false(link_agent_id_is_valid(""));
    assert_false(link_agent_id_is_valid("."));
    assert_false(link_agent_id_is_valid(".."));
    assert_false(link_agent_id_is_valid(".hidden"));
    assert_false(link_agent_id_is_valid("a/b"));
    assert_false(link_agent_id_is_valid("a b"));
    assert_false(link_agent_id_is_valid("caf\xc3\xa9"));
    char long_id[66];
    memset(long_id, 'a', 65);
    long_id[64] = '\0';
    assert_false(link_agent_id_is_valid(long_id));
    long_id[63] = '\0';
    assert_true(link_agent_id_is_valid(long_id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_saved_key_is_loaded_again_and_private, remove_key),
        cmocka_unit_test(two_keys_differ),
        cmocka_unit_test_teardown(a_key_that_others_may_read_is_refused, remove_key),
        cmocka_unit_test_teardown(what_is_no_key_is_refused, remove_key),
        cmocka_unit_test(an_agent_id_cannot_leave_its_directory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

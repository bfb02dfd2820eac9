// SPDX-License-Identifier: Apache-2.0
/* The process file's life: each test in a child of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/unit/client/child.h"
#include "tests/unit/directory.h"
#include "weft/weft.h"

/* Begins spans until one is recorded, three seconds at most. */
static bool records_soon(void)
{
    uint64_t until = soon_ns();
    while (clock_monotonic_ns() < until) {
        weft_span span = weft_begin(WEFT_NAME("try"), WEFT_INTERNAL);
        weft_end(span);
        if (span.slot)
            return true;
        sched_yield();
    }
    return false;
}

static int missing_directory(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/later", fixture_directory);
    setenv("WEFT_DIR", path, 1);
    CHECK(weft_begin(WEFT_NAME("a"), WEFT_INTERNAL).slot == NULL);
    struct weft_losses losses;
    weft_get_losses(&losses);
    CHECK(losses.no_file == 1);
    CHECK(mkdir(path, 0700) == 0);
    CHECK(records_soon());
    weft_get_losses(&losses);
    CHECK(losses.no_file >= 1); /* told of in the file, once there is one */
    return directory_remove(path) != 0;
}

static int forked_child_makes_its_own(void)
{
    weft_span parents = weft_begin(WEFT_NAME("parent's"), WEFT_INTERNAL);
    CHECK(parents.slot);
    pid_t pid = fork();
    if (pid == 0) {
        weft_set_int(parents, WEFT_NAME("k"), 1); /* no effect on either side */
        weft_end(parents);
        CHECK(fixture_file(1)[0] == '\0'); /* none before the first span */
        weft_span own = weft_begin(WEFT_NAME("child's"), WEFT_INTERNAL);
        CHECK(own.slot && own.id != parents.id);
        weft_end(own);
        CHECK(fixture_file(1)[0] != '\0');
        return 0;
    }
    int status;
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);

    enum slab_error error;
    struct gathered *g = gathered_create();
    for (int i = 0; i < 2; i++) {
        struct slab_reader *r = fixture_open(fixture_file(i), &error);
        CHECK(r);
        g->count = 0;
        CHECK(gather_rings(r, g) == SLAB_OK);
        CHECK(slab_look(r, false, gather_visit, g) == SLAB_OK);
        CHECK(g->count == 1);
        bool is_parent = slab_reader_file(r)->pid == (uint32_t)getpid();
        CHECK(g->all[0].open == is_parent);
        CHECK(g->all[0].used == 0);
        CHECK(name_is(r, g->all[0].span.name, is_parent ? "parent's" : "child's"));
        slab_reader_close(&r);
    }
    gathered_destroy(g);
    return 0;
}

static int removed_file_is_replaced(void)
{
    setenv("WEFT_RING_BYTES", "65536", 1);
    CHECK(records_soon());
    char path[512];
    snprintf(path, sizeof path, "%s/%s", fixture_directory, fixture_file(0));
    CHECK(unlink(path) == 0);
    uint64_t until = soon_ns();
    while (clock_monotonic_ns() < until && fixture_file(0)[0] == '\0')
        for (int i = 0; i < 2000; i++) /* until the ring is full, where it is noticed */
            weft_end(weft_begin(WEFT_NAME("a"), WEFT_INTERNAL));
    CHECK(fixture_file(0)[0] != '\0');
    return 0;
}

static int retired_file_is_replaced(void)
{
    CHECK(records_soon());
    enum slab_error error;
    struct slab_reader *old = fixture_open(fixture_file(0), &error);
    CHECK(old);
    slab_set_recording(old, SLAB_RECORDING_RETIRED);
    weft_span across = {0, 0};
    uint64_t until = soon_ns();
    while (clock_monotonic_ns() < until && fixture_file(1)[0] == '\0')
        weft_end(across = weft_begin(WEFT_NAME("a"), WEFT_INTERNAL));
    CHECK(fixture_file(1)[0] != '\0');
    CHECK(records_soon());
    slab_reader_close(&old);
    return 0;
}

/* A tmpfs of our own, too small for a thread slab: in a mount namespace, so only as root. */
static int full_tmpfs(void)
{
    if (!on_small_tmpfs("size=1M"))
        return 0;
    CHECK(weft_begin(WEFT_NAME("a"), WEFT_INTERNAL).slot == NULL);
    struct weft_losses losses;
    weft_get_losses(&losses);
    CHECK(losses.no_memory == 1);
    CHECK(weft_begin(WEFT_NAME("b"), WEFT_INTERNAL).slot == NULL);
    CHECK(mount("tmpfs", fixture_directory, "tmpfs", MS_REMOUNT, "size=16M") == 0);
    CHECK(records_soon());
    return 0;
}

static int no_room_even_for_the_file(void)
{
    if (!on_small_tmpfs("size=64k"))
        return 0;
    CHECK(weft_begin(WEFT_NAME("a"), WEFT_INTERNAL).slot == NULL);
    struct weft_losses losses;
    weft_get_losses(&losses);
    CHECK(losses.no_file == 1);
    return 0;
}

static int switched_off_by_the_environment(void)
{
    setenv("WEFT_OFF", "1", 1);
    CHECK(weft_begin(WEFT_NAME("a"), WEFT_INTERNAL).slot == NULL);
    CHECK(!weft_recording());
    CHECK(fixture_file(0)[0] == '\0');
    return 0;
}

static int identity_from_code_wins(void)
{
    setenv("WEFT_SERVICE", "from environment", 1);
    setenv("OTEL_RESOURCE_ATTRIBUTES", "zone=b,service.version=9,broken,=x", 1);
    CHECK(weft_identify("from code", NULL, "i-1", "c1") == 0);
    CHECK(weft_resource("rack", "r7") == 0);
    CHECK(records_soon());
    enum slab_error error;
    struct slab_reader *r = fixture_open(fixture_file(0), &error);
    CHECK(r);
    uint32_t used;
    const char *resource = slab_resource(r, &used);
    struct slab_item_view item = {0};
    const char *expected[][2] = {{"service.name", "from code"},
                                 {"service.instance.id", "i-1"},
                                 {"weft.cell", "c1"},
                                 {"rack", "r7"},
                                 {"zone", "b"},
                                 {"service.version", "9"}};
    struct slab_walk walk = slab_walk(resource, used);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        CHECK(slab_item_next(&walk, &item));
        CHECK(name_is(r, item.key, expected[i][0]));
        CHECK(strlen(expected[i][1]) == item.length);
        CHECK(memcmp(item.value, expected[i][1], item.length) == 0);
    }
    slab_reader_close(&r);
    return 0;
}

static void *record_once(void *slot)
{
    weft_span span = weft_begin(WEFT_NAME("on a thread"), WEFT_INTERNAL);
    weft_end(span);
    *(void **)slot = span.slot;
    return NULL;
}

/* A daemon closes all descriptors and opens its own file, which gets our number. */
static int file_of_the_service_that_took_our_descriptor_is_not_touched(void)
{
    weft_span across = weft_begin(WEFT_NAME("a"), WEFT_INTERNAL);
    CHECK(across.slot);
    closefrom(3);
    char path[512];
    snprintf(path, sizeof path, "%s/service.db", fixture_directory);
    int fds[64];
    for (int i = 0; i < 64; i++)
        CHECK((fds[i] = open(path, O_RDWR | O_CREAT, 0600)) >= 0);
    uint64_t until = soon_ns();
    void *slot = NULL;
    while (!slot && clock_monotonic_ns() < until) {
        pthread_t thread; /* two at once would need a second slab: so does this one */
        CHECK(pthread_create(&thread, NULL, record_once, &slot) == 0);
        pthread_join(thread, NULL);
    }
    CHECK(slot); /* into a new file */
    weft_end(across);
    CHECK(records_soon());
    pid_t pid = fork();
    if (pid == 0)
        _exit(fcntl(fds[0], F_GETFD) < 0);
    int status;
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    for (int i = 0; i < 64; i++) {
        struct stat st;
        CHECK(fstat(fds[i], &st) == 0);
        CHECK(st.st_size == 0);
    }
    return 0;
}

static int limit_of_file_sizes_kills_nobody(void)
{
    struct rlimit small = {.rlim_cur = 600 << 10, .rlim_max = RLIM_INFINITY};
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    CHECK(weft_begin(WEFT_NAME("a"), WEFT_INTERNAL).slot == NULL);
    small.rlim_cur = 4 << 10;
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(weft_begin(WEFT_NAME("a"), WEFT_INTERNAL).slot != NULL);
    int status;
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return 0;
}

static int errno_stays_when_a_new_file_cannot_be_made(void)
{
    setenv("WEFT_RING_BYTES", "65536", 1);
    CHECK(records_soon());
    CHECK(directory_remove(fixture_directory) == 0);
    for (int i = 0; i < 4000; i++) {
        errno = 4711;
        weft_end(weft_begin(WEFT_NAME("a"), WEFT_INTERNAL));
        CHECK(errno == 4711);
    }
    return mkdir(fixture_directory, 0700);
}

static void *end_it(void *span)
{
    weft_end(*(weft_span *)span);
    return NULL;
}

/* The only thread slab is taken: the other thread cannot record the end. */
static int slot_is_freed_by_a_thread_that_cannot_record(void)
{
    setenv("WEFT_THREADS", "1", 1);
    setenv("WEFT_SLOTS", "4", 1);
    CHECK(records_soon());
    for (int i = 0; i < 6; i++) {
        weft_span span = weft_begin(WEFT_NAME("handed over"), WEFT_INTERNAL);
        CHECK(span.slot);
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, end_it, &span) == 0);
        pthread_join(thread, NULL);
    }
    struct weft_losses losses;
    weft_get_losses(&losses);
    CHECK(losses.no_thread_slab == 6 && losses.no_slot == 0);
    return 0;
}

static void record_in_a_handler(void)
{
    weft_end(weft_begin(WEFT_NAME("handler's"), WEFT_INTERNAL));
}

static int fork_handlers_of_the_service_may_record(void)
{
    pthread_atfork(record_in_a_handler, record_in_a_handler, record_in_a_handler);
    CHECK(records_soon());
    pid_t pid = fork();
    if (pid == 0)
        _exit(fixture_file(1)[0] == '\0'); /* in a file of its own, not in the parent's ring */
    int status;
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return 0;
}

IN_CHILD(missing_directory)
IN_CHILD(forked_child_makes_its_own)
IN_CHILD(removed_file_is_replaced)
IN_CHILD(retired_file_is_replaced)
IN_CHILD(full_tmpfs)
IN_CHILD(no_room_even_for_the_file)
IN_CHILD(switched_off_by_the_environment)
IN_CHILD(identity_from_code_wins)
IN_CHILD(file_of_the_service_that_took_our_descriptor_is_not_touched)
IN_CHILD(limit_of_file_sizes_kills_nobody)
IN_CHILD(errno_stays_when_a_new_file_cannot_be_made)
IN_CHILD(slot_is_freed_by_a_thread_that_cannot_record)
IN_CHILD(fork_handlers_of_the_service_may_record)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_directory_test),
        cmocka_unit_test(forked_child_makes_its_own_test),
        cmocka_unit_test(removed_file_is_replaced_test),
        cmocka_unit_test(retired_file_is_replaced_test),
        cmocka_unit_test(full_tmpfs_test),
        cmocka_unit_test(no_room_even_for_the_file_test),
        cmocka_unit_test(switched_off_by_the_environment_test),
        cmocka_unit_test(identity_from_code_wins_test),
        cmocka_unit_test(file_of_the_service_that_took_our_descriptor_is_not_touched_test),
        cmocka_unit_test(limit_of_file_sizes_kills_nobody_test),
        cmocka_unit_test(errno_stays_when_a_new_file_cannot_be_made_test),
        cmocka_unit_test(slot_is_freed_by_a_thread_that_cannot_record_test),
        cmocka_unit_test(fork_handlers_of_the_service_may_record_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

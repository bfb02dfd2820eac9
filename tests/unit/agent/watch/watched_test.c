// SPDX-License-Identifier: Apache-2.0
#include "agent/watch/watched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/proc/stat.h"

struct fixture {
    struct stats_table *table;
    struct batch_builder *builder;
    struct watched *watched;
    struct arena arena;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->table = stats_table_create(
        &(struct stats_options){.host = "box7", .series_max = 100, .silent_rounds = 10});
    f->builder = batch_builder_create();
    arena_init(&f->arena, 4096);
    f->watched = watched_create(f->table, 4711, 99, "feed", "2", "c1");
    assert_non_null(f->watched);
    f->watched->source = PROCESS_RUN;
    f->watched->uuid[0] = 1;
    f->watched->start_unix_ns = 1000;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    watched_destroy(&f->watched, f->table);
    batch_builder_destroy(&f->builder);
    stats_table_destroy(&f->table);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

/* What is told of it now, as a batch of its own. */
static const struct batch *told(struct fixture *f, bool end)
{
    struct buffer bytes = {0};
    int error;
    batch_builder_reset(f->builder);
    bool any = watched_tell(f->watched, f->builder, "box7", end);
    assert_int_equal(batch_encode(f->builder, &bytes), 0);
    const struct batch *b = batch_decode(&f->arena, bytes.data, bytes.length, 1 << 20, &error);
    buffer_fini(&bytes);
    assert_non_null(b);
    assert_int_equal(any, b->process_count > 0);
    return b;
}

static void end_with(struct fixture *f, enum run_end how, uint32_t code)
{
    f->watched->life.has_ended = true;
    f->watched->life.ended = (struct run_record){.how = how, .code = code, .unix_ns = 3000};
}

static void assert_text(struct batch_str text, const char *expected)
{
    assert_int_equal(text.length, strlen(expected));
    assert_memory_equal(text.bytes, expected, text.length);
}

static void each_moment_is_told_once(void **state)
{
    struct fixture *f = *state;
    const struct batch *b = told(f, true);
    assert_int_equal(b->process_count, 1);
    assert_text(b->processes[0].service, "feed");
    assert_text(b->processes[0].cell, "c1");
    assert_int_equal(b->processes[0].watched, PROCESS_RUN);
    assert_int_equal(b->processes[0].state, PROCESS_ALIVE);
    assert_int_equal(told(f, true)->process_count, 0);
    f->watched->life.is_ready = true;
    f->watched->life.ready = (struct run_record){.code = 80, .unix_ns = 2000};
    b = told(f, true);
    assert_int_equal(b->processes[0].ready_unix_ns, 2000);
    assert_text(b->processes[0].ready, "listens on port 80");
    end_with(f, RUN_EXITED, 3);
    b = told(f, true);
    assert_int_equal(b->process_count, 1);
    assert_int_equal(b->processes[0].state, PROCESS_EXITED);
    assert_int_equal(b->processes[0].state_unix_ns, 3000);
    assert_text(b->processes[0].ending, "exited with 3");
    assert_int_equal(told(f, true)->process_count, 0);
}

static void a_life_between_two_rounds_is_told_whole(void **state)
{
    struct fixture *f = *state;
    end_with(f, RUN_KILLED, SIGSEGV);
    const struct batch *b = told(f, true);
    assert_int_equal(b->process_count, 2);
    assert_int_equal(b->processes[0].state, PROCESS_ALIVE);
    assert_int_equal(b->processes[0].ending.length, 0);
    assert_int_equal(b->processes[1].state, PROCESS_DIED);
}

static void an_end_that_is_held_is_told_later_under_the_slabs_name(void **state)
{
    struct fixture *f = *state;
    f->watched->life.records = true;
    f->watched->life.slab_uuid[0] = 77;
    end_with(f, RUN_KILLED, SIGKILL);
    const struct batch *b = told(f, false);
    assert_int_equal(b->process_count, 1);
    assert_int_equal(b->processes[0].uuid[0], 1);
    assert_false(watched_stored(f->watched));
    b = told(f, true);
    assert_int_equal(b->process_count, 1);
    assert_int_equal(b->processes[0].uuid[0], 77);
    assert_true(watched_stored(f->watched));
}

static void what_was_not_started_has_no_start(void **state)
{
    struct fixture *f = *state;
    end_with(f, RUN_NOT_STARTED, 2);
    const struct batch *b = told(f, true);
    assert_int_equal(b->process_count, 1);
    assert_text(b->processes[0].ending, "could not be started (No such file or directory)");
}

static void nothing_is_told_of_those_below_a_command(void **state)
{
    struct fixture *f = *state;
    f->watched->descends = true;
    assert_int_equal(told(f, true)->process_count, 0);
    assert_false(watched_stored(f->watched));
    f->watched->dead = true;
    assert_true(watched_stored(f->watched));
}

static void a_process_is_held_until_it_dies(void **state)
{
    struct fixture *f = *state;
    struct proc_stat stat;
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    assert_true(proc_stat_read((uint32_t)pid, &stat, NULL));
    f->watched->pid = (uint32_t)pid;
    f->watched->start_time = stat.start_time;
    watched_find(f->watched, 5000);
    assert_true(f->watched->pidfd >= 0 && !f->watched->dead);
    assert_false(watched_has_died(f->watched->pidfd));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_true(watched_has_died(f->watched->pidfd));
    close(f->watched->pidfd);
    watched_find(f->watched, 5000);
    assert_true(f->watched->pidfd < 0 && f->watched->dead);
    assert_int_equal(f->watched->died_unix_ns, 5000);
}

static void another_process_of_the_number_is_not_it(void **state)
{
    struct fixture *f = *state;
    f->watched->pid = (uint32_t)getpid(); /* which began at another time */
    watched_find(f->watched, 5000);
    assert_true(f->watched->pidfd < 0 && f->watched->dead);
}

/* The kernel's count of what it killed in the group of a process, as it stands now. */
static void write_kills(struct fixture *f, unsigned kills)
{
    FILE *file = fopen(f->watched->kills, "w");
    assert_non_null(file);
    fprintf(file, "low 0\noom 7\noom_kill %u\n", kills);
    assert_int_equal(fclose(file), 0);
}

static void an_end_is_laid_to_want_of_memory_where_the_kernel_killed_shortly_before(void **state)
{
    struct fixture *f = *state;
    char path[] = "/tmp/weft-kills-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    f->watched->kills = strdup(path);
    f->watched->source = PROCESS_FOUND;
    f->watched->kills_before = f->watched->kills_lately = 3;

    write_kills(f, 4);
    watched_renew_kills(f->watched); /* others of the group may be told of it, too */
    watched_end_unseen(f->watched, 3000);
    assert_int_equal(f->watched->life.ended.flags, RUN_OUT_OF_MEMORY);
    assert_text(told(f, true)->processes[1].ending, "ended (out of memory)");

    watched_renew_kills(f->watched); /* now it is long ago */
    watched_end_unseen(f->watched, 4000);
    assert_int_equal(f->watched->life.ended.flags, 0);
    write_kills(f, 5);
    watched_end_unseen(f->watched, 5000);
    assert_int_equal(f->watched->life.ended.flags, RUN_OUT_OF_MEMORY);
    unlink(path);
}

static void a_process_has_the_same_name_each_time(void **state)
{
    struct fixture *f = *state;
    uint8_t first[16];
    watched_name(f->watched);
    memcpy(first, f->watched->uuid, sizeof first);
    watched_name(f->watched);
    assert_memory_equal(first, f->watched->uuid, sizeof first);
    f->watched->start_time++;
    watched_name(f->watched);
    assert_memory_not_equal(first, f->watched->uuid, sizeof first);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_moment_is_told_once),
        TEST(a_life_between_two_rounds_is_told_whole),
        TEST(an_end_that_is_held_is_told_later_under_the_slabs_name),
        TEST(what_was_not_started_has_no_start),
        TEST(nothing_is_told_of_those_below_a_command),
        TEST(a_process_is_held_until_it_dies),
        TEST(another_process_of_the_number_is_not_it),
        TEST(an_end_is_laid_to_want_of_memory_where_the_kernel_killed_shortly_before),
        TEST(a_process_has_the_same_name_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

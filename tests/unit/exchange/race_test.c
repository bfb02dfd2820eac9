// SPDX-License-Identifier: Apache-2.0
/* A writer that overwrites as fast as it can, and a reader beside it, in another process and in
 * another thread (which is what ThreadSanitizer sees): nothing torn, nothing of another connection
 * and nothing out of order is ever found, and what is told to be complete is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/unit/eventually.h"
#include "tests/unit/exchange/exchanges.h"

enum { WINDOW = 20, FINDS = 1000, PORT = 1000 };

struct race {
    uint64_t connections; /* that take turns */
    _Atomic bool stop;
};
static struct race *race; /* shared with the other process */

static int begin(void **state)
{
    (void)state;
    race = mmap(NULL, sizeof *race, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return race == MAP_FAILED ? -1 : exchanges_begin(1 << 20);
}

static int end(void **state)
{
    (void)state;
    munmap(race, sizeof *race);
    return exchanges_end();
}

/* Until it is told to stop. */
static void *write_on(void *context)
{
    (void)context;
    for (uint64_t n = 0; !atomic_load_explicit(&race->stop, memory_order_relaxed); n++) {
        struct exchange_address caches[2] = {{{(uint8_t)n}, (uint16_t)n},
                                             {{(uint8_t)n}, (uint16_t)(n + 1)}};
        exchanges_add((uint16_t)(PORT + n % race->connections), n);
        exchange_writer_seen(writer, begun_ns + n);
        if (n % 4 == 0)
            exchange_writer_caches(writer, caches, 1 + n / 4 % 2);
    }
    return NULL;
}

/* The last WINDOW exchanges, as the moment has it. True: they were said to be all. */
static bool look(void)
{
    struct exchange_record found[WINDOW + 1];
    bool complete;
    uint64_t seen = exchange_reader_seen_unix_ns(reader);
    if (seen < begun_ns + WINDOW)
        return false;
    uint64_t last = seen - begun_ns, of = last % race->connections, expected = 0;
    struct exchange_connection c = connection_of((uint16_t)(PORT + of));
    size_t count =
        exchange_reader_find(reader, &c, seen - WINDOW, seen, found, WINDOW + 1, &complete);
    for (size_t i = 0; i < count; i++) {
        uint64_t n = number_of(&found[i]);
        assert_true(n >= last - WINDOW && n <= last);
        assert_int_equal(n % race->connections, of);
        assert_true(i == 0 || n > number_of(&found[i - 1]));
    }
    for (uint64_t n = last - WINDOW; n <= last; n++)
        expected += n % race->connections == of;
    if (complete)
        assert_int_equal(count, expected);
    return complete;
}

/* All the way back to where the writer is overwriting, of whichever connection. */
static void look_back(uint64_t any)
{
    enum { MOST = 8192 };
    static struct exchange_record found[MOST];
    bool complete;
    uint64_t of = any % race->connections;
    struct exchange_connection c = connection_of((uint16_t)(PORT + of));
    size_t count = exchange_reader_find(reader, &c, begun_ns, UINT64_MAX, found, MOST, &complete);
    for (size_t i = 0; i < count; i++) {
        uint64_t n = number_of(&found[i]);
        assert_true(n != UINT64_MAX);
        assert_int_equal(n % race->connections, of);
        if (i > 0)
            assert_true(n == number_of(&found[i - 1]) + race->connections);
    }
}

static void look_at_caches(void)
{
    struct exchange_address told[4];
    size_t count = exchange_reader_caches(reader, told, 4);
    assert_in_range(count, 0, 2);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(told[i].ip[0], (uint8_t)(told[0].port));
        assert_int_equal(told[i].port, (uint16_t)(told[0].port + i));
    }
}

static bool looked_often(int *complete)
{
    static uint64_t any;
    for (int i = 0; i < 100; i++) {
        *complete += look();
        if (i % 4 == 0 || race->connections > 1000) /* then there is little to look at */
            look_back(any += 7919);
        look_at_caches();
    }
    return *complete >= FINDS;
}

/* One connection, some, and more than there is room for. */
static const uint64_t connections[] = {1, 50, 5000};

/* A file of its own for each writer, as its numbers begin anew. */
static void begin_anew(uint64_t of_connections)
{
    exchange_reader_close(&reader);
    exchange_writer_destroy(&writer);
    writer = exchange_writer_create(exchanges_path, 1 << 20, why, sizeof why);
    assert_non_null(writer);
    begun_ns = clock_unix_ns() + 1;
    reader = exchange_reader_open(exchanges_fd, why, sizeof why);
    assert_non_null(reader);
    race->connections = of_connections;
    atomic_store(&race->stop, false);
}

static pid_t write_in_a_child(void)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    write_on(NULL);
    _exit(0);
}

static void another_process_may_write(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        int complete = 0, status;
        begin_anew(connections[i]);
        pid_t child = write_in_a_child();
        EVENTUALLY(looked_often(&complete));
        atomic_store(&race->stop, true);
        assert_int_equal(waitpid(child, &status, 0), child);
    }
}

static void another_thread_may_write(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        int complete = 0;
        pthread_t thread;
        begin_anew(connections[i]);
        assert_int_equal(pthread_create(&thread, NULL, write_on, NULL), 0);
        EVENTUALLY(looked_often(&complete));
        atomic_store(&race->stop, true);
        pthread_join(thread, NULL);
    }
}

/* A writer that is killed leaves what it had finished. */
static void a_writer_may_be_killed_at_any_moment(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        int status, complete = 0;
        begin_anew(50);
        pid_t child = write_in_a_child();
        EVENTUALLY(exchange_reader_seen_unix_ns(reader) > begun_ns + 1000 * (uint64_t)i);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        for (int again = 0; again < 3; again++)
            complete += look();
        assert_true(complete == 0 || complete == 3);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(another_process_may_write),
        TEST(another_thread_may_write),
        TEST(a_writer_may_be_killed_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

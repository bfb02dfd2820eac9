// SPDX-License-Identifier: Apache-2.0
#include "lib/proc/sockets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define INTERNET                                                                                   \
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "  \
    "inode\n"

static void assert_socket(const struct proc_sockets *s, uint64_t inode, unsigned kind,
                          unsigned port)
{
    const struct proc_socket *found = proc_sockets_find(s, inode);
    assert_non_null(found);
    assert_int_equal(found->kind, kind);
    assert_int_equal(found->port, port);
}

static void tables_are_read_as_the_kernel_writes_them(void **state)
{
    struct proc_sockets s = {0};
    (void)state;
    assert_true(proc_sockets_add(
        &s, "tcp",
        INTERNET "   0: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     "
                 "0        0 12345 1 ffff 100 0 0 10 0\n"
                 "   1: 0100007F:18EB 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  "
                 "1000        0 12346 1\n"
                 "   2: 0100007F:18EB 0100007F:9C41 06 00000000:00000000 03:00000000 00000000     "
                 "0        0 0 3\n"
                 "   3: 0100007F:18EB 0100007F:9C42 08 00000000:00000000 00:00000000 00000000     "
                 "0        0 12347 1\n"));
    assert_true(proc_sockets_add(&s, "tcp6",
                                 INTERNET
                                 "   0: 00000000000000000000000001000000:1F90 "
                                 "00000000000000000000000000000000:0000 0A 00000000:00000000 "
                                 "00:00000000 00000000     0        0 9 1\n"));
    assert_true(proc_sockets_add(&s, "udp",
                                 INTERNET "  11: 00000000:0035 00000000:0000 07 00000000:00000000 "
                                          "00:00000000 00000000     0        0 7 2\n"));
    assert_true(
        proc_sockets_add(&s, "unix",
                         "Num       RefCount Protocol Flags    Type St Inode Path\n"
                         "0000000000000000: 00000002 00000000 00010000 0001 01 20001 /run/x\n"
                         "ffff88003a5b2c00: 00000003 00000000 00000000 0001 03 20002\n"));
    proc_sockets_sort(&s);
    assert_int_equal(s.count, 7);
    assert_socket(&s, 12345, PROC_TCP_LISTENING, 6379);
    assert_socket(&s, 12346, PROC_TCP_ESTABLISHED, 6379);
    assert_socket(&s, 12347, PROC_TCP_OTHER, 6379);
    assert_socket(&s, 9, PROC_TCP_LISTENING, 8080);
    assert_socket(&s, 7, PROC_UDP, 53);
    assert_socket(&s, 20001, PROC_UNIX_LISTENING, 0);
    assert_socket(&s, 20002, PROC_UNIX, 0);
    assert_null(proc_sockets_find(&s, 0)); /* of nobody any more */
    assert_null(proc_sockets_find(&s, 8));
    proc_sockets_fini(&s);
}

static void what_is_malformed_is_passed_over(void **state)
{
    struct proc_sockets s = {0};
    (void)state;
    assert_true(proc_sockets_add(&s, "tcp", ""));
    assert_true(proc_sockets_add(&s, "tcp", INTERNET "nonsense\n\n   0: 0100007F:18EB\n"));
    assert_true(proc_sockets_add(&s, "unix", "Num\n0: x\n/a path\nwith lines\n"));
    proc_sockets_sort(&s);
    assert_int_equal(s.count, 0);
    assert_null(proc_sockets_find(&s, 1));
    proc_sockets_fini(&s);
}

struct look {
    uint64_t inode;
    size_t count;
    bool seen;
};

static void look_for(void *context, uint64_t inode)
{
    struct look *l = context;
    l->count++;
    l->seen |= inode == l->inode;
}

static void a_socket_of_ours_is_seen_with_its_port(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct proc_sockets s = {0};
    struct stat st;
    (void)state;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(fstat(fd, &st), 0);
    struct look l = {.inode = st.st_ino};
    assert_true(proc_sockets_of((uint32_t)getpid(), 1000, look_for, &l));
    assert_true(l.seen);
    assert_true(proc_sockets_read(&s, (uint32_t)getpid(), true));
    assert_socket(&s, st.st_ino, PROC_TCP_LISTENING, ntohs(address.sin_port));
    close(fd);
    assert_true(proc_sockets_read(&s, (uint32_t)getpid(), true));
    assert_null(proc_sockets_find(&s, st.st_ino));
    proc_sockets_fini(&s);
    assert_false(proc_sockets_of(0x7ffffff0, 1000, look_for, &l));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_read_as_the_kernel_writes_them),
        cmocka_unit_test(what_is_malformed_is_passed_over),
        cmocka_unit_test(a_socket_of_ours_is_seen_with_its_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
#include "lib/proc/sockets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buffer.h"

enum { TEXT_MAX = 256 << 20 };
enum { STATE_ESTABLISHED = 1, STATE_LISTEN = 10 }; /* the kernel's include/net/tcp_states.h */
enum { UNIX_ACCEPTS = 0x10000 };

void proc_sockets_fini(struct proc_sockets *s)
{
    free(s->list);
    *s = (struct proc_sockets){0};
}

/* ---- tables ------------------------------------------------------------------------------ */

static bool add(struct proc_sockets *s, struct proc_socket socket)
{
    if (socket.inode == 0 || s->count == PROC_SOCKETS_MAX)
        return true;
    if (s->count == s->capacity) {
        size_t larger = s->capacity ? s->capacity * 2 : 64;
        struct proc_socket *list = realloc(s->list, larger * sizeof *list);
        if (!list)
            return false;
        s->list = list;
        s->capacity = larger;
    }
    s->list[s->count++] = socket;
    return true;
}

static bool parse_internet(const char *line, bool tcp, struct proc_socket *out)
{
    unsigned port, state;
    unsigned long inode;
    if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*u %lu", &port,
               &state, &inode) != 3)
        return false;
    enum proc_socket_kind kind = !tcp                         ? PROC_UDP
                                 : state == STATE_ESTABLISHED ? PROC_TCP_ESTABLISHED
                                 : state == STATE_LISTEN      ? PROC_TCP_LISTENING
                                                              : PROC_TCP_OTHER;
    *out = (struct proc_socket){inode, (uint16_t)port, (uint8_t)kind};
    return true;
}

static bool parse_unix(const char *line, struct proc_socket *out)
{
    unsigned flags;
    unsigned long inode;
    if (sscanf(line, "%*[0-9A-Fa-f]: %*x %*x %x %*x %*x %lu", &flags, &inode) != 2)
        return false;
    *out = (struct proc_socket){inode, 0,
                                (uint8_t)(flags & UNIX_ACCEPTS ? PROC_UNIX_LISTENING : PROC_UNIX)};
    return true;
}

bool proc_sockets_add(struct proc_sockets *s, const char *file, const char *text)
{
    bool is_unix = strcmp(file, "unix") == 0, tcp = strncmp(file, "tcp", 3) == 0;
    struct proc_socket socket;
    for (const char *line = strchr(text, '\n'); line; line = strchr(line + 1, '\n')) {
        char copy[256]; /* sscanf asks for the length of all that follows */
        size_t length = strcspn(line + 1, "\n");
        length = length < sizeof copy ? length : sizeof copy - 1;
        memcpy(copy, line + 1, length);
        copy[length] = '\0';
        if ((is_unix ? parse_unix(copy, &socket) : parse_internet(copy, tcp, &socket)) &&
            !add(s, socket))
            return false;
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = ((const struct proc_socket *)a)->inode, y = ((const struct proc_socket *)b)->inode;
    return x < y ? -1 : x > y;
}

void proc_sockets_sort(struct proc_sockets *s)
{
    if (s->count > 1)
        qsort(s->list, s->count, sizeof *s->list, compare);
}

const struct proc_socket *proc_sockets_find(const struct proc_sockets *s, uint64_t inode)
{
    struct proc_socket key = {.inode = inode};
    return s->count ? bsearch(&key, s->list, s->count, sizeof key, compare) : NULL;
}

static bool read_whole(uint32_t pid, const char *file, struct buffer *out)
{
    char path[64];
    ssize_t n = -1;
    snprintf(path, sizeof path, "/proc/%u/net/%s", pid, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT; /* a kernel without IPv6 */
    while (out->length < TEXT_MAX) {
        char *to = buffer_reserve(out, 64 << 10);
        n = to ? read(fd, to, 64 << 10) : -1;
        if (n <= 0)
            break;
        out->length += (size_t)n;
    }
    close(fd);
    buffer_append(out, "", 1);
    return n == 0 && !out->failed;
}

bool proc_sockets_read(struct proc_sockets *s, uint32_t pid, bool all)
{
    static const char *const files[] = {"tcp", "tcp6", "unix", "udp", "udp6"};
    struct buffer text = {0};
    bool good = true;
    s->count = 0;
    for (size_t i = 0; i < (all ? 5 : 3); i++) {
        buffer_clear(&text);
        good &= read_whole(pid, files[i], &text) &&
                (!text.length || proc_sockets_add(s, files[i], text.data));
    }
    buffer_fini(&text);
    proc_sockets_sort(s);
    return good;
}

/* ---- of a process ------------------------------------------------------------------------ */

bool proc_sockets_of(uint32_t pid, size_t most, void (*visit)(void *context, uint64_t inode),
                     void *context)
{
    char path[64], target[64];
    snprintf(path, sizeof path, "/proc/%u/fd", pid);
    DIR *d = opendir(path);
    bool seen = d != NULL;
    size_t looked = 0;
    for (struct dirent *e; d && looked < most && (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        looked++;
        ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof target - 1);
        if (n < 0 && (errno == EACCES || errno == EPERM)) {
            seen = false;
            break;
        }
        target[n > 0 ? n : 0] = '\0';
        if (strncmp(target, "socket:[", 8) == 0)
            visit(context, strtoull(target + 8, NULL, 10));
    }
    if (d)
        closedir(d);
    return seen;
}

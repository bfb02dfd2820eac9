// SPDX-License-Identifier: Apache-2.0
#include "lib/feed/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/feed/peer.h"

enum { ROOM_BYTES = 16 << 10 };

void channel_init(struct channel *c)
{
    *c = (struct channel){.fd = -1};
}

void channel_close(struct channel *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    buffer_fini(&c->in);
    c->in = (struct buffer){0};
    c->taken = 0;
}

static int broken(struct channel *c, char *why, size_t size, const char *reason)
{
    snprintf(why, size, "%s", reason);
    channel_close(c);
    return -1;
}

/* ---- connecting ---------------------------------------------------------------------------- */

/* The agent's directory is one where others may make files too. */
static bool is_trusted(int fd, const char *path)
{
    char directory[sizeof((struct sockaddr_un *)0)->sun_path];
    struct stat owner;
    uid_t uid;
    snprintf(directory, sizeof directory, "%s", path);
    char *slash = strrchr(directory, '/');
    if (!feed_peer_uid(fd, &uid))
        return false;
    if (uid == 0 || uid == geteuid())
        return true;
    if (!slash || slash == directory)
        return false;
    *slash = '\0';
    return stat(directory, &owner) == 0 && owner.st_uid == uid;
}

int channel_open(struct channel *c, const char *path, char *why, size_t why_size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    channel_close(c);
    if (strlen(path) >= sizeof address.sun_path)
        return broken(c, why, why_size, "its path is too long for a socket");
    strcpy(address.sun_path, path);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0)
        return broken(c, why, why_size, strerror(errno));
    if (!is_trusted(c->fd, path))
        return broken(c, why, why_size, "neither root nor its directory's owner listens there");
    return 0;
}

/* ---- moving bytes -------------------------------------------------------------------------- */

static bool wait_for(int fd, short events, int64_t deadline_ms)
{
    struct pollfd p = {.fd = fd, .events = events};
    for (;;) {
        int64_t left = deadline_ms - clock_monotonic_ms();
        int ready = poll(&p, 1, left > 0 ? (int)left : 0);
        if (ready > 0)
            return true;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

int channel_send(struct channel *c, const void *bytes, size_t length, int64_t deadline_ms,
                 char *why, size_t why_size)
{
    const char *at = bytes;
    while (length > 0) {
        ssize_t n = send(c->fd, at, length, MSG_NOSIGNAL);
        if (n > 0) {
            at += n;
            length -= (size_t)n;
        } else if (errno == EAGAIN || errno == EINTR) {
            if (!wait_for(c->fd, POLLOUT, deadline_ms))
                return broken(c, why, why_size, "it does not read");
        } else {
            return broken(c, why, why_size, strerror(errno));
        }
    }
    return 0;
}

static void forget_taken(struct channel *c)
{
    if (c->taken == 0)
        return;
    memmove(c->in.data, c->in.data + c->taken, c->in.length - c->taken);
    c->in.length -= c->taken;
    c->taken = 0;
}

int channel_receive(struct channel *c, struct feed_frame *frame, int64_t deadline_ms, char *why,
                    size_t why_size)
{
    forget_taken(c);
    for (;;) {
        int found = feed_frame_read(c->in.data, c->in.length, frame, &c->taken);
        if (found > 0)
            return 0;
        if (found < 0)
            return broken(c, why, why_size, "what it says is no frame of the feed");
        char *room = buffer_reserve(&c->in, ROOM_BYTES);
        if (!room)
            return broken(c, why, why_size, "no memory");
        ssize_t n = recv(c->fd, room, ROOM_BYTES, 0);
        if (n > 0)
            c->in.length += (size_t)n;
        else if (n == 0)
            return broken(c, why, why_size, "it closed the connection");
        else if (errno != EAGAIN && errno != EINTR)
            return broken(c, why, why_size, strerror(errno));
        else if (!wait_for(c->fd, POLLIN, deadline_ms))
            return broken(c, why, why_size, "it does not answer");
    }
}

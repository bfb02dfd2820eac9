// SPDX-License-Identifier: Apache-2.0
/* A service that asks a Redis, one command a line on its standard input, and answers each with one
 * line.
 *
 *   connect HOST PORT  -> ok
 *   ask COMMAND        -> traceparent of the client span in which it asked and waited
 *   pipe N COMMAND     -> N traceparents, of overlapping client spans: all asked before any waits
 *   within N COMMAND   -> traceparent of the one client span in which all were asked
 *   untraced COMMAND   -> ok
 */
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "weft/weft.h"

enum { PIPE_MOST = 64 };

static FILE *in;
static int fd = -1;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void open_connection(const char *host, const char *port)
{
    struct addrinfo *found, hints = {.ai_socktype = SOCK_STREAM};
    int one = 1;
    if (in)
        fclose(in);
    if (getaddrinfo(host, port, &hints, &found) != 0)
        fail(host);
    fd = socket(found->ai_family, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0)
        fail("connect");
    freeaddrinfo(found);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    in = fdopen(fd, "r");
    puts("ok");
}

static void ask(const char *command)
{
    if (dprintf(fd, "%s\r\n", command) < 0)
        fail("write");
}

/* A simple reply, a number, or a string. */
static void hear(void)
{
    char line[256];
    if (!fgets(line, sizeof line, in))
        fail("read");
    long length = line[0] == '$' ? strtol(line + 1, NULL, 10) : -1;
    for (long left = length >= 0 ? length + 2 : 0; left > 0; left--)
        if (getc(in) == EOF)
            fail("read");
}

static weft_span begin(void)
{
    static const struct weft_context root;
    weft_span span = weft_begin_detached(weft_intern("ask redis"), WEFT_CLIENT, &root);
    weft_span_peer(span, fd);
    return span;
}

static void say(weft_span span, char end)
{
    char traceparent[WEFT_TRACEPARENT_SIZE] = "-";
    weft_traceparent(span, traceparent);
    printf("%s%c", traceparent, end);
}

static void ask_within(int count, const char *command)
{
    weft_span span = begin();
    for (int i = 0; i < count; i++)
        ask(command);
    for (int i = 0; i < count; i++)
        hear();
    say(span, '\n');
    weft_end(span);
}

static void pipe_spans(int count, const char *command)
{
    weft_span spans[PIPE_MOST];
    count = count < PIPE_MOST ? count : PIPE_MOST;
    for (int i = 0; i < count; i++) {
        spans[i] = begin();
        ask(command);
    }
    for (int i = 0; i < count; i++) {
        hear();
        say(spans[i], i + 1 < count ? ' ' : '\n');
        weft_end(spans[i]);
    }
}

static void obey(char *line)
{
    const char *what = strsep(&line, " ");
    if (!line)
        return;
    if (strcmp(what, "connect") == 0) {
        const char *host = strsep(&line, " ");
        open_connection(host, line ? line : "");
    } else if (strcmp(what, "ask") == 0) {
        ask_within(1, line);
    } else if (strcmp(what, "untraced") == 0) {
        ask(line);
        hear();
        puts("ok");
    } else {
        int count = atoi(strsep(&line, " "));
        if (strcmp(what, "pipe") == 0)
            pipe_spans(count, line ? line : "");
        else
            ask_within(count, line ? line : "");
    }
}

int main(void)
{
    char line[1024];
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        obey(line);
    }
    return 0;
}

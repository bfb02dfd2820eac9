// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a dashboard that somebody saves, with any If-Match and If-None-Match before it
 * (three texts, with a NUL between). What is answered with 200 is there byte for byte, under the
 * version that the answer named; what is refused changes nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/web/web.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEPT_MAX = 1 << 20 };

static struct web web;

static void clear(void)
{
    dashboards_remove(web.dashboards, "tried", NULL);
    rmdir(dashboards_directory(web.dashboards));
    dashboards_destroy(&web.dashboards);
}

static struct web *get_web(void)
{
    static char directory[] = "/dev/shm/weft-fuzz-XXXXXX"; /* every put is synced */
    if (!web.dashboards) {
        web.dashboards = mkdtemp(directory) ? dashboards_create(directory) : NULL;
        web.page_directory = "/nonexistent";
        if (!web.dashboards || atexit(clear) != 0)
            abort();
    }
    return &web;
}

static struct reply ask(struct web_request request)
{
    struct reply reply;
    request.path = "/api/v1/dashboards/tried";
    request.content_type = "application/json";
    web_answer(get_web(), &request, &reply);
    return reply;
}

/* What is there now, and its version; the length, 0 where there is none. */
static size_t look(char *out, char etag[40])
{
    struct reply reply = ask((struct web_request){.method = WEB_GET});
    size_t length = 0;
    if (reply.status == 200) {
        ssize_t n = read(reply.file, out, KEPT_MAX);
        if (n <= 0 || (uint64_t)n != reply.file_bytes || !*reply.etag)
            abort();
        length = (size_t)n;
    }
    memcpy(etag, reply.etag, sizeof reply.etag);
    reply_fini(&reply);
    return length;
}

static void put(const struct web_request *request)
{
    static char before[KEPT_MAX], after[KEPT_MAX];
    char old[40], now[40];
    size_t before_length = look(before, old);
    struct reply reply = ask(*request);
    size_t length = look(after, now);
    if (reply.status == 200) {
        if (length != request->body_length || memcmp(after, request->body, length) != 0 ||
            strcmp(now, reply.etag) != 0)
            abort();
    } else if ((reply.status != 400 && reply.status != 412) || length != before_length ||
               memcmp(after, before, length) != 0 || strcmp(now, old) != 0) {
        abort();
    }
    reply_fini(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    struct web_request request = {.method = WEB_PUT};
    const char *at = text, *end = text + size;
    request.if_match = *at ? at : NULL;
    at += strlen(at);
    at += at < end;
    request.if_none_match = *at ? at : NULL;
    at += strlen(at);
    at += at < end;
    request.body = at;
    request.body_length = (size_t)(end - at);
    put(&request);
    free(text);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include <curl/curl.h>
#include <hiredis/hiredis.h>
#include <libmemcached/memcached.h>
#include <stdio.h>
#include <string.h>

#include "demo/service.h"

/* One handle a thread: libcurl keeps the connection open between calls. */
static __thread CURL *curl;

static size_t on_answer(char *data, size_t size, size_t count, void *answer)
{
    buffer_append(answer, data, size * count);
    return size * count;
}

static void add_header(void *headers, const char *name, const char *value)
{
    struct curl_slist **list = headers;
    char line[1024];
    snprintf(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer)
        *list = longer;
}

static CURLcode perform(weft_span span, const char *url, const char *body, struct buffer *answer,
                        long *status)
{
    struct curl_slist *headers = NULL;
    if (!curl && !(curl = curl_easy_init()))
        return CURLE_OUT_OF_MEMORY;
    weft_inject(span, WEFT_W3C, add_header, &headers);
    add_header(&headers, "Expect", "");
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 5000L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
    curl_slist_free_all(headers);
    return code;
}

int service_call(struct weft_name *name, const char *peer, const char *url, const char *body,
                 struct buffer *answer)
{
    WEFT_SCOPE(span, name, WEFT_CLIENT);
    weft_set_string(span, WEFT_NAME("peer.service"), peer);
    weft_set_string(span, WEFT_NAME("url.full"), url);
    long status = 0;
    CURLcode code = perform(span, url, body, answer, &status);
    if (code != CURLE_OK) {
        weft_set_status(span, WEFT_ERROR, curl_easy_strerror(code));
        return 0;
    }
    weft_set_int(span, WEFT_NAME("http.response.status_code"), status);
    if (status >= 500)
        weft_set_status(span, WEFT_ERROR, NULL);
    return (int)status;
}

struct redisContext *service_redis(uint16_t port)
{
    static __thread redisContext *redis;
    if (redis && redis->err) {
        redisFree(redis);
        redis = NULL;
    }
    if (!redis) {
        struct timeval patience = {.tv_sec = 2};
        redis = redisConnectWithTimeout("127.0.0.1", port, patience);
        if (redis && !redis->err)
            redisSetTimeout(redis, patience);
    }
    return redis && !redis->err ? redis : NULL;
}

struct memcached_st *service_memcached(uint16_t port)
{
    static __thread memcached_st *memcached;
    if (!memcached) {
        memcached = memcached_create(NULL);
        memcached_behavior_set(memcached, MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, 1000);
        memcached_behavior_set(memcached, MEMCACHED_BEHAVIOR_RCV_TIMEOUT, 1000000);
        memcached_behavior_set(memcached, MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
        memcached_server_add(memcached, "127.0.0.1", port);
    }
    return memcached;
}

void service_end(weft_span span, const char *failed)
{
    if (failed)
        weft_set_status(span, WEFT_ERROR, failed);
    weft_end(span);
}

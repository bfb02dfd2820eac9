// SPDX-License-Identifier: Apache-2.0
#include "cli/stream.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>

#include "cli/api.h"
#include "lib/base/buffer.h"

struct transfer {
    CURL *curl;
    const struct stream_reader *reader;
    struct buffer refusal; /* what came with another status than 200 */
    int ended;             /* what `bytes` returned */
};

static size_t on_bytes(char *data, size_t size, size_t count, void *context)
{
    struct transfer *t = context;
    long status = 0;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        buffer_append(&t->refusal, data, size * count);
    else
        t->ended = t->reader->bytes(t->reader->context, data, size * count);
    return t->ended ? 0 : size * count;
}

static int judge(struct transfer *t, CURLcode code, const char *url, char *why, size_t why_size)
{
    long status = 0;
    if (t->ended)
        return t->ended;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200 && code == CURLE_OK)
        return 0;
    if (status == 0 || status == 200) {
        snprintf(why, why_size, "%s: %s", url, curl_easy_strerror(code));
        return -1;
    }
    json_t *json = json_loadb(t->refusal.data ? t->refusal.data : "", t->refusal.length, 0, NULL);
    snprintf(why, why_size, "%s: %s (HTTP %ld)", url,
             json ? api_text(json, "error") : "an answer that is no JSON", status);
    json_decref(json);
    return -2;
}

int stream_get(const char *path, const struct stream_reader *reader, char *why, size_t why_size)
{
    char url[16384], accept[128];
    struct transfer t = {.curl = curl_easy_init(), .reader = reader};
    if (!t.curl) {
        snprintf(why, why_size, "out of memory");
        return -2;
    }
    struct curl_slist *list = api_headers(false);
    if (reader->accept) {
        snprintf(accept, sizeof accept, "Accept: %s", reader->accept);
        list = curl_slist_append(list, accept);
    }
    snprintf(url, sizeof url, "%s%s", api_base_url(NULL), path);
    curl_easy_setopt(t.curl, CURLOPT_URL, url);
    curl_easy_setopt(t.curl, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(t.curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(t.curl, CURLOPT_WRITEDATA, &t);
    curl_easy_setopt(t.curl, CURLOPT_CONNECTTIMEOUT, 5L);
    curl_easy_setopt(t.curl, CURLOPT_LOW_SPEED_LIMIT,
                     1L); /* the firehose says something every 5 s */
    curl_easy_setopt(t.curl, CURLOPT_LOW_SPEED_TIME, 60L);
    api_set_proxy(t.curl, url);
    int result = judge(&t, curl_easy_perform(t.curl), url, why, why_size);
    curl_slist_free_all(list);
    curl_easy_cleanup(t.curl);
    buffer_fini(&t.refusal);
    return result;
}

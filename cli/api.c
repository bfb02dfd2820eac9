// SPDX-License-Identifier: Apache-2.0
#include "cli/api.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STANDARD_URL "http://127.0.0.1:4040"

static long timeout_s = 60;

void api_set_timeout(long seconds)
{
    timeout_s = seconds;
}

static size_t on_bytes(char *data, size_t size, size_t count, void *answer)
{
    buffer_append(answer, data, size * count);
    return size * count;
}

const char *api_base_url(const char *base)
{
    const char *environment = getenv("WEFT_URL");
    return base ? base : environment && *environment ? environment : STANDARD_URL;
}

struct curl_slist *api_headers(bool posting)
{
    struct curl_slist *list = NULL;
    const char *token = getenv("WEFT_TOKEN");
    char line[512];
    if (posting)
        list = curl_slist_append(list, "Content-Type: application/json");
    if (token && *token) {
        snprintf(line, sizeof line, "Authorization: Bearer %s", token);
        list = curl_slist_append(list, line);
    }
    return list;
}

void api_set_proxy(void *curl, const char *url)
{
    if (strncmp(url, "http://127.", 11) == 0 || strncmp(url, "http://localhost", 16) == 0)
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
}

/* Says why there is no answer: nobody there, or the collector's own words. */
static void explain(CURLcode code, long status, const struct buffer *answer, const char *url,
                    char *why, size_t why_size)
{
    int path = (int)strcspn(url, "?"); /* questions are long */
    if (code != CURLE_OK) {
        snprintf(why, why_size, "%.*s: %s; is weft-collector running there? ($WEFT_URL says where)",
                 path, url, curl_easy_strerror(code));
        return;
    }
    json_t *json = json_loadb(answer->data ? answer->data : "", answer->length, 0, NULL);
    const char *said = json ? json_string_value(json_object_get(json, "error")) : NULL;
    snprintf(why, why_size, "%.*s: %s (HTTP %ld)%s", path, url,
             said ? said : "an answer that is no JSON", status,
             status == 401 ? "; $WEFT_TOKEN holds the token" : "");
    for (char *c = why; *c; c++) /* it may quote anybody; this goes to a terminal */
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    json_decref(json);
}

/* The answer's body; -1 with a sentence, unless the status is 200. `body` NULL: a GET. */
static int call(const char *base, const char *path, const char *body, struct buffer *answer,
                char *why, size_t why_size)
{
    char url[4096];
    long status = 0;
    CURL *curl = curl_easy_init();
    if (!curl) {
        snprintf(why, why_size, "out of memory");
        return -1;
    }
    struct curl_slist *list = api_headers(body != NULL);
    snprintf(url, sizeof url, "%s%s", api_base_url(base), path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, timeout_s);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 5L);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    api_set_proxy(curl, url);
    if (body)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    bool answered = code == CURLE_OK && status == 200 && !answer->failed;
    if (!answered)
        explain(code, status, answer, url, why, why_size);
    curl_slist_free_all(list);
    curl_easy_cleanup(curl);
    return answered ? 0 : -1;
}

static json_t *call_json(const char *base, const char *path, const char *body, char *why,
                         size_t why_size)
{
    struct buffer answer = {0};
    json_t *json = NULL;
    if (call(base, path, body, &answer, why, why_size) == 0) {
        json = json_loadb(answer.data ? answer.data : "", answer.length, 0, NULL);
        if (!json)
            snprintf(why, why_size, "%s%s: an answer that is no JSON", api_base_url(base), path);
    }
    buffer_fini(&answer);
    return json;
}

int api_get_bytes(const char *base, const char *path, struct buffer *out, char *why,
                  size_t why_size)
{
    return call(base, path, NULL, out, why, why_size);
}

json_t *api_get(const char *base, const char *path, char *why, size_t why_size)
{
    return call_json(base, path, NULL, why, why_size);
}

json_t *api_post(const char *base, const char *path, const char *body, char *why, size_t why_size)
{
    return call_json(base, path, body, why, why_size);
}

uint64_t api_unix_ns(const json_t *object, const char *field)
{
    const char *digits = json_string_value(json_object_get(object, field));
    return digits ? strtoull(digits, NULL, 10) : 0;
}

const char *api_text(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));
    return text ? text : "";
}

long long api_number(const json_t *object, const char *field)
{
    const json_t *value = json_object_get(object, field);
    return json_is_real(value) ? (long long)json_real_value(value)
                               : (long long)json_integer_value(value);
}

void api_escape(char *query, size_t query_size, const char *text)
{
    size_t at = strlen(query);
    for (; *text && at + 4 < query_size; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     strchr("-._~", c);
        at += (size_t)snprintf(query + at, query_size - at, plain ? "%c" : "%%%02X", c);
    }
}

// SPDX-License-Identifier: Apache-2.0
/* Calls to the collector's HTTP API (docs/api.md). */
#ifndef WEFT_CLI_API_H
#define WEFT_CLI_API_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buffer.h"

/* GET `path` (with its query) from the collector at `base`, or where NULL at $WEFT_URL, or at the
 * standard address. The caller owns the answer. NULL with a sentence in `why`, which for an
 * answer of the collector's is its own. */
json_t *api_get(const char *base, const char *path, char *why, size_t why_size);
/* POSTs a JSON text. As above. */
json_t *api_post(const char *base, const char *path, const char *body, char *why, size_t why_size);

/* GETs what is no JSON, a picture; it is appended to `out`. 0; -1 with a sentence. */
int api_get_bytes(const char *base, const char *path, struct buffer *out, char *why,
                  size_t why_size);

/* How long calls of this process wait for an answer from then on; 60 s at first. Before other
 * threads call. */
void api_set_timeout(long seconds);

/* For those who call by libcurl themselves: where the collector is, the headers that it wants
 * (freed by curl_slist_free_all), and no proxy towards this host. */
const char *api_base_url(const char *base);
struct curl_slist *api_headers(bool posting);
void api_set_proxy(void *curl, const char *url);

/* A *_unix_ns field: digits in a string. 0 where it is missing. */
uint64_t api_unix_ns(const json_t *object, const char *field);
/* "" where it is missing. */
const char *api_text(const json_t *object, const char *field);
long long api_number(const json_t *object, const char *field);

/* `text` escaped for a query string, appended to `query` (of query_size bytes). */
void api_escape(char *query, size_t query_size, const char *text);

#endif

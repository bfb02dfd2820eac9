// SPDX-License-Identifier: Apache-2.0
/* The demo's front: GET /dashboard?user=N reads an inbox from the user's cell and hydrates the
 * posts from memcached, with the card of the blog that most follow; POST /post?user=N hands a post
 * to the firehose. */
#include <libmemcached/memcached.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo/people.h"
#include "demo/service.h"

static struct {
    uint16_t port, firehose, memcached, cells[CELLS];
} ports;

/* ---- dashboard --------------------------------------------------------------------------- */

/* "3,2,1" to keys "post:3" … The number of keys. */
static int cut_keys(const char *ids, char keys[][24], const char *pointers[], size_t lengths[])
{
    int n = 0;
    for (char *end; *ids && n < DASHBOARD_POSTS; ids = *end == ',' ? end + 1 : end, n++) {
        unsigned long id = strtoul(ids, &end, 10);
        if (end == ids)
            break;
        lengths[n] = (size_t)snprintf(keys[n], 24, "post:%lu", id);
        pointers[n] = keys[n];
    }
    return n;
}

enum { DASHBOARD_KEYS = DASHBOARD_POSTS + 1 }; /* and the card */

struct found {
    int posts;
    bool card;
};

static struct found fetch(struct memcached_st *memcached, struct buffer *answer,
                          memcached_return_t *result)
{
    struct found found = {0, false};
    memcached_result_st *value;
    while ((value = memcached_fetch_result(memcached, NULL, result))) {
        bool card = strncmp(memcached_result_key_value(value), PEOPLE_HOTTEST_KEY,
                            memcached_result_key_length(value)) == 0;
        buffer_append(answer, memcached_result_value(value), memcached_result_length(value));
        buffer_byte(answer, '\n');
        memcached_result_free(value);
        found.card |= card;
        found.posts += !card;
    }
    return found;
}

/* Who looks for it first puts it there. */
static void put_card(struct memcached_st *memcached)
{
    static const char card[] = "{\"blog\": 1, \"name\": \"a celebrity\"}";
    weft_span span = weft_begin(WEFT_NAME("memcached set"), WEFT_CLIENT);
    weft_set_string(span, WEFT_NAME("db.system"), "memcached");
    weft_set_string(span, WEFT_NAME("peer.service"), "memcached");
    weft_set_string(span, WEFT_NAME("key"), PEOPLE_HOTTEST_KEY);
    memcached_return_t result = memcached_set(memcached, PEOPLE_HOTTEST_KEY,
                                              strlen(PEOPLE_HOTTEST_KEY), card, strlen(card), 0, 0);
    service_end(span, memcached_success(result) ? NULL : memcached_strerror(memcached, result));
}

static int hydrate(const char *ids, struct buffer *answer)
{
    char keys[DASHBOARD_POSTS][24];
    const char *pointers[DASHBOARD_KEYS];
    size_t lengths[DASHBOARD_KEYS];
    int n = cut_keys(ids, keys, pointers, lengths);
    pointers[n] = PEOPLE_HOTTEST_KEY;
    lengths[n++] = strlen(PEOPLE_HOTTEST_KEY);
    struct memcached_st *memcached = service_memcached(ports.memcached);
    weft_span span = weft_begin(WEFT_NAME("memcached mget"), WEFT_CLIENT);
    weft_set_string(span, WEFT_NAME("db.system"), "memcached");
    weft_set_string(span, WEFT_NAME("peer.service"), "memcached");
    weft_set_int(span, WEFT_NAME("keys"), n);
    memcached_return_t result = memcached_mget(memcached, pointers, lengths, (size_t)n);
    struct found found = {0, true};
    if (memcached_success(result))
        found = fetch(memcached, answer, &result);
    weft_set_int(span, WEFT_NAME("hits"), found.posts + found.card);
    bool good =
        memcached_success(result) || result == MEMCACHED_END || result == MEMCACHED_NOTFOUND;
    service_end(span, good ? NULL : memcached_strerror(memcached, result));
    if (!found.card)
        put_card(memcached);
    return found.posts;
}

static int dashboard(struct service_request *request, struct buffer *answer)
{
    long user = service_query(request, "user", 0);
    if (user < 1 || user > PEOPLE)
        return 400;
    unsigned cell = people_cell((unsigned)user);
    char url[128], name[8];
    struct buffer ids = {0};
    weft_set_int(request->span, WEFT_NAME("user.id"), user);
    snprintf(name, sizeof name, "c%u", cell);
    weft_set_string(request->span, WEFT_NAME("cell"), name);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/inbox?user=%ld", ports.cells[cell - 1], user);
    int status = service_call(WEFT_NAME("GET cell/inbox"), "cell", url, NULL, &ids);
    if (status == 200) {
        int hits = hydrate(buffer_cstring(&ids), answer);
        weft_set_int(request->span, WEFT_NAME("posts"), hits);
    } else {
        buffer_printf(answer, "cell %s does not answer", name);
    }
    buffer_fini(&ids);
    return status == 200 ? 200 : 502;
}

/* ---- post -------------------------------------------------------------------------------- */

static int post(struct service_request *request, struct buffer *answer)
{
    long user = service_query(request, "user", 0);
    if (user < 1 || user > PEOPLE || request->body_length == 0 || request->body_length > 1000)
        return 400;
    weft_set_int(request->span, WEFT_NAME("user.id"), user);
    char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/append?user=%ld", ports.firehose, user);
    int status =
        service_call(WEFT_NAME("POST firehose/append"), "firehose", url, request->body, answer);
    weft_event(request->span, WEFT_NAME("published"), NULL, 0);
    return status == 200 ? 200 : 502;
}

int main(int argc, char **argv)
{
    if (argc != 4 + CELLS) {
        fprintf(stderr, "usage: weft-demo-web PORT FIREHOSE-PORT MEMCACHED-PORT CELL-PORT…\n");
        return 2;
    }
    ports.port = (uint16_t)atoi(argv[1]);
    ports.firehose = (uint16_t)atoi(argv[2]);
    ports.memcached = (uint16_t)atoi(argv[3]);
    for (int i = 0; i < CELLS; i++)
        ports.cells[i] = (uint16_t)atoi(argv[4 + i]);
    const struct service_route routes[] = {
        {"GET", "/dashboard", WEFT_NAME("GET /dashboard"), dashboard},
        {"POST", "/post", WEFT_NAME("POST /post"), post},
    };
    return service_run(ports.port, 8, routes, 2, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* A cell of the demo: keeps the inboxes of its share of the users in redis.
 *
 * One thread follows the firehose from the cell's checkpoint and delivers each post to those of
 * the author's followers who live here; others answer GET /inbox?user=N. */
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "demo/people.h"
#include "demo/service.h"

static struct {
    unsigned number; /* 1 to CELLS */
    uint16_t port, firehose, redis;
    const char *checkpoint;
    bool one_by_one; /* the mistake of the version that the demo deploys */
} cell;

/* ---- inbox ------------------------------------------------------------------------------- */

static weft_span begin_redis(struct weft_name *name, const redisContext *redis)
{
    weft_span span = weft_begin(name, WEFT_CLIENT);
    if (redis)
        weft_span_peer(span, redis->fd);
    weft_set_string(span, WEFT_NAME("db.system"), "redis");
    weft_set_string(span, WEFT_NAME("peer.service"), "redis");
    return span;
}

static const char *problem(const redisContext *redis)
{
    return !redis ? "redis is not there" : redis->err ? redis->errstr : "redis gave no answer";
}

static void put_post(struct buffer *answer, const char *post)
{
    buffer_printf(answer, "%s%s", answer->length ? "," : "", post);
}

/* The newest posts of an inbox. How many; -1, with redis' word in `why`. */
static int read_inbox(redisContext *redis, long user, struct buffer *answer, char why[128])
{
    redisReply *reply = redis ? redisCommand(redis, "LRANGE c%u:inbox:%ld 0 %d", cell.number, user,
                                             DASHBOARD_POSTS - 1)
                              : NULL;
    int items = reply && reply->type == REDIS_REPLY_ARRAY ? (int)reply->elements : -1;
    for (int i = 0; i < items; i++)
        put_post(answer, reply->element[i]->str);
    if (items < 0)
        snprintf(why, 128, "%s", reply && reply->str ? reply->str : problem(redis));
    freeReplyObject(reply);
    return items;
}

/* The same with a question for each post. */
static int read_inbox_one_by_one(redisContext *redis, long user, struct buffer *answer,
                                 char why[128])
{
    int items = 0;
    for (bool more = true; more && items < DASHBOARD_POSTS;) {
        redisReply *reply =
            redis ? redisCommand(redis, "LINDEX c%u:inbox:%ld %d", cell.number, user, items) : NULL;
        if (!reply || reply->type == REDIS_REPLY_ERROR) {
            snprintf(why, 128, "%s", reply && reply->str ? reply->str : problem(redis));
            freeReplyObject(reply);
            return -1;
        }
        more = reply->type == REDIS_REPLY_STRING;
        if (more) {
            put_post(answer, reply->str);
            items++;
        }
        freeReplyObject(reply);
    }
    return items;
}

static int inbox(struct service_request *request, struct buffer *answer)
{
    long user = service_query(request, "user", 0);
    weft_set_int(request->span, WEFT_NAME("user.id"), user);
    redisContext *redis = service_redis(cell.redis);
    weft_span span = begin_redis(WEFT_NAME("redis LRANGE"), redis);
    char why[128];
    int items = cell.one_by_one ? read_inbox_one_by_one(redis, user, answer, why)
                                : read_inbox(redis, user, answer, why);
    if (items >= 0)
        weft_set_int(span, WEFT_NAME("items"), items);
    service_end(span, items >= 0 ? NULL : why);
    weft_counter_add(WEFT_COUNTER("inboxes_read_total"), 1);
    return items >= 0 ? 200 : 503;
}

/* ---- delivery ---------------------------------------------------------------------------- */

/* Pushes to every inbox in one pipeline. The number of inboxes written, -1 on an error. */
static int fan_out(redisContext *redis, unsigned long post, unsigned author)
{
    unsigned followers = people_followers(author);
    int sent = 0, written = 0;
    for (unsigned i = 0; i < followers; i++) {
        unsigned user = people_follower(author, i);
        if (people_cell(user) != cell.number)
            continue;
        redisAppendCommand(redis, "LPUSH c%u:inbox:%u %lu", cell.number, user, post);
        redisAppendCommand(redis, "LTRIM c%u:inbox:%u 0 %d", cell.number, user, INBOX_LENGTH - 1);
        sent += 2;
    }
    for (int i = 0; i < sent; i++) {
        redisReply *reply = NULL;
        if (redisGetReply(redis, (void **)&reply) != REDIS_OK)
            return -1;
        written += i % 2 == 0;
        freeReplyObject(reply);
    }
    return written;
}

static bool deliver(unsigned long post, unsigned author, const char *traceparent)
{
    struct weft_context producer;
    weft_extract_traceparent(&producer, traceparent, NULL);
    WEFT_SCOPE_FROM(span, WEFT_NAME("deliver"), WEFT_CONSUMER, &producer);
    weft_set_int(span, WEFT_NAME("post.id"), (int64_t)post);
    weft_set_int(span, WEFT_NAME("author"), author);
    weft_set_bool(span, WEFT_NAME("celebrity"), author <= CELEBRITIES);

    weft_span lookup = weft_begin(WEFT_NAME("look up followers"), WEFT_INTERNAL);
    weft_set_int(lookup, WEFT_NAME("followers"), people_followers(author));
    weft_end(lookup);

    redisContext *redis = service_redis(cell.redis);
    weft_span push = begin_redis(WEFT_NAME("redis LPUSH"), redis);
    int inboxes = redis ? fan_out(redis, post, author) : -1;
    weft_set_int(push, WEFT_NAME("inboxes"), inboxes);
    weft_histogram_record(WEFT_HISTOGRAM("delivery_inboxes"), inboxes);
    service_end(push, inboxes < 0 ? problem(redis) : NULL);
    if (inboxes < 0)
        weft_set_status(span, WEFT_ERROR, "inboxes could not be written");
    return inboxes >= 0;
}

/* ---- following --------------------------------------------------------------------------- */

struct checkpoint {
    long offset;         /* in the firehose's log */
    unsigned long taken; /* posts before it */
};

static struct checkpoint read_checkpoint(void)
{
    struct checkpoint at = {0, 0};
    FILE *file = fopen(cell.checkpoint, "r");
    if (file) {
        if (fscanf(file, "%ld %lu", &at.offset, &at.taken) != 2 || at.offset < 0)
            at = (struct checkpoint){0, 0};
        fclose(file);
    }
    return at;
}

/* Written beside and renamed: a killed cell finds the old one or the new one. */
static void write_checkpoint(struct checkpoint at)
{
    char temporary[4096];
    snprintf(temporary, sizeof temporary, "%s.new", cell.checkpoint);
    FILE *file = fopen(temporary, "w");
    if (!file)
        return;
    fprintf(file, "%ld %lu\n", at.offset, at.taken);
    if (fclose(file) == 0)
        rename(temporary, cell.checkpoint);
}

/* Delivers the lines of `text`, and moves the checkpoint behind those that are done. */
static void deliver_lines(char *text, struct checkpoint *at)
{
    char *line = text, *end;
    for (; (end = strchr(line, '\n')); line = end + 1) {
        unsigned long post;
        unsigned author;
        char traceparent[WEFT_TRACEPARENT_SIZE] = "";
        *end = '\0';
        if (sscanf(line, "%lu %u %55s", &post, &author, traceparent) >= 2 && author >= 1 &&
            author <= PEOPLE && !deliver(post, author, traceparent))
            break;
        at->taken++;
    }
    at->offset += line - text;
}

static void pause_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static void *follow(void *context)
{
    (void)context;
    struct checkpoint at = read_checkpoint();
    while (!service_ending()) {
        char url[128];
        struct buffer lines = {0};
        snprintf(url, sizeof url, "http://127.0.0.1:%u/read?offset=%ld&cell=%u&taken=%lu",
                 cell.firehose, at.offset, cell.number, at.taken);
        int status = service_call(WEFT_NAME("GET firehose/read"), "firehose", url, NULL, &lines);
        if (status == 200 && lines.length) {
            buffer_byte(&lines, '\0');
            deliver_lines(lines.data, &at);
            write_checkpoint(at);
        } else if (status != 200) {
            pause_ms(200);
        }
        buffer_fini(&lines);
    }
    return NULL;
}

static pthread_t follower;

static void begin_following(void)
{
    pthread_create(&follower, NULL, follow, NULL);
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: weft-demo-cell NUMBER PORT FIREHOSE-PORT REDIS-PORT CHECKPOINT\n");
        return 2;
    }
    cell.number = (unsigned)atoi(argv[1]);
    cell.port = (uint16_t)atoi(argv[2]);
    cell.firehose = (uint16_t)atoi(argv[3]);
    cell.redis = (uint16_t)atoi(argv[4]);
    cell.checkpoint = argv[5];
    cell.one_by_one = getenv("DEMO_ONE_BY_ONE") != NULL;
    const struct service_route routes[] = {
        {"GET", "/inbox", WEFT_NAME("GET /inbox"), inbox},
    };
    int status = service_run(cell.port, 8, routes, 1, begin_following);
    if (follower)
        pthread_join(follower, NULL);
    return status;
}

// SPDX-License-Identifier: Apache-2.0
/* GET /api/v1/search: TraceQL. With `stream` a search is answered line by line while it goes on: a
 * thread searches, the connection's own sends what there is. When the client goes away the search
 * is cancelled. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "collector/web/question.h"
#include "lib/base/clock.h"

enum { LIMIT_DEFAULT = 20, LIMIT_MOST = 1000, SPANS_DEFAULT = 3, SPANS_MOST = 100 };
enum {
    WAITING_BYTES_MAX = 1 << 20,
    PROGRESS_MS = 100,
    EXEMPLARS_DEFAULT = 3,
    EXEMPLARS_MOST = 100
};

struct searching {
    struct question question;
    uint32_t limit, spans;
    struct traceql_search answer;
    /* Of a stream. */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct buffer lines; /* not sent yet */
    bool done;
    atomic_bool cancel;
    int64_t told_ms; /* when progress was told last */
};

static void put_answer(struct json_writer *w, const struct searching *s)
{
    const struct traceql_search *a = &s->answer;
    json_open_object(w);
    json_field_array(w, "traces");
    for (uint32_t i = 0; i < a->count; i++)
        question_put_trace(w, a->traces[i]);
    json_close_array(w);
    json_field_bool(w, "more", a->more);
    question_put_end(w, &s->question, a->end, &a->progress);
    json_close_object(w);
}

static void search(struct searching *s)
{
    traceql_search(s->question.query, &s->question.source, &s->question.options, s->limit, s->spans,
                   &s->answer);
}

static void close_search(struct searching *s)
{
    traceql_search_fini(&s->answer);
    question_close(&s->question);
    buffer_fini(&s->lines);
    free(s);
}

/* ---- line by line ------------------------------------------------------------------------ */

static void on_progress(void *context, const struct traceql_progress *progress)
{
    struct searching *s = context;
    int64_t now = clock_monotonic_ms();
    if (now - s->told_ms < PROGRESS_MS)
        return;
    s->told_ms = now;
    pthread_mutex_lock(&s->lock);
    if (s->lines.length < WAITING_BYTES_MAX) { /* a slow reader is told less */
        struct json_writer w = json_writer_to(&s->lines);
        json_open_object(&w);
        question_put_progress(&w, progress);
        json_close_object(&w);
        buffer_byte(&s->lines, '\n');
        pthread_cond_signal(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
}

static void on_trace(void *context, const struct traceql_found *trace)
{
    struct searching *s = context;
    pthread_mutex_lock(&s->lock);
    if (s->lines.length < WAITING_BYTES_MAX) {
        struct json_writer w = json_writer_to(&s->lines);
        json_open_object(&w);
        json_key(&w, "found");
        question_put_trace(&w, trace);
        json_close_object(&w);
        buffer_byte(&s->lines, '\n');
        pthread_cond_signal(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
}

static void *search_aside(void *context)
{
    struct searching *s = context;
    search(s);
    pthread_mutex_lock(&s->lock);
    s->done = true;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static bool stream_next(void *context, struct buffer *out)
{
    struct searching *s = context;
    pthread_mutex_lock(&s->lock);
    while (s->lines.length == 0 && !s->done)
        pthread_cond_wait(&s->changed, &s->lock);
    buffer_append(out, s->lines.data, s->lines.length);
    buffer_clear(&s->lines);
    bool done = s->done;
    pthread_mutex_unlock(&s->lock);
    if (!done)
        return true;
    struct json_writer w = json_writer_to(out);
    json_open_object(&w);
    json_key(&w, "result");
    put_answer(&w, s);
    json_close_object(&w);
    buffer_byte(out, '\n');
    return false;
}

static void stream_close(void *context)
{
    struct searching *s = context;
    atomic_store(&s->cancel, true);
    pthread_join(s->thread, NULL);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
    close_search(s);
}

static void start_stream(struct searching *s, struct reply *reply)
{
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    s->question.options.cancel = &s->cancel;
    s->question.options.context = s;
    s->question.options.on_progress = on_progress;
    s->question.options.on_trace = on_trace;
    if (pthread_create(&s->thread, NULL, search_aside, s) != 0) {
        pthread_mutex_destroy(&s->lock);
        pthread_cond_destroy(&s->changed);
        close_search(s);
        reply_no_memory(reply);
        return;
    }
    reply->content_type = "application/x-ndjson; charset=utf-8";
    reply->stream = (struct reply_stream){stream_next, stream_close, s};
}

/* ---- the routes -------------------------------------------------------------------------- */

static bool wants_stream(const struct api_call *call)
{
    const char *stream = params_get(call->params, "stream"), *accept = call->request->accept;
    return stream ? strcmp(stream, "true") == 0 : accept && strstr(accept, "application/x-ndjson");
}

void api_search(const struct api_call *call, struct reply *reply)
{
    char why[PARAMS_WHY_MAX];
    uint32_t limit, spans;
    if (params_only(call->params, "q start end limit spans timeout stream", why) != 0 ||
        params_number(call->params, "limit", 1, LIMIT_MOST, LIMIT_DEFAULT, &limit, why) != 0 ||
        params_number(call->params, "spans", 0, SPANS_MOST, SPANS_DEFAULT, &spans, why) != 0) {
        reply_error(reply, 400, "%s", why);
        return;
    }
    struct searching *s = calloc(1, sizeof *s);
    if (!s) {
        reply_no_memory(reply);
        return;
    }
    s->limit = limit;
    s->spans = spans;
    if (!question_open(&s->question, call, QUESTION_SEARCH, NULL, reply)) {
        free(s);
        return;
    }
    if (wants_stream(call)) {
        start_stream(s, reply);
        return;
    }
    search(s);
    struct json_writer w = json_writer_to(&reply->body);
    put_answer(&w, s);
    buffer_byte(&reply->body, '\n');
    close_search(s);
}

// SPDX-License-Identifier: Apache-2.0
/* A scanner that knows JSON's brackets and strings, and nothing of values: these are copied as
 * they are. Where a resource (or scope) stands behind its spans, the spans are kept until it comes.
 */
#include "lib/otlp/otlp_split.h"

#include <ctype.h>
#include <string.h>

enum { DEPTH_MAX = 256, KEPT_BYTES_MAX = 256 << 20, KEY_MAX = 63 };

struct source { /* a file, or a text that was kept */
    FILE *file;
    const char *next, *end;
    uint64_t offset;
};

struct split {
    const struct otlp_split_options *options;
    char *why;
    struct buffer request;
    uint32_t spans;                /* in the request */
    bool in_resource, in_scope;    /* lists of the request that are open */
    struct buffer resource, scope; /* of the spans that come: raw values, or empty */
    int sent;                      /* what `send` answered, if it was not 0 */
};

static int peek(struct source *in)
{
    if (!in->file)
        return in->next < in->end ? (unsigned char)*in->next : EOF;
    int c = getc_unlocked(in->file);
    if (c != EOF)
        ungetc(c, in->file);
    return c;
}

static int take(struct source *in)
{
    int c = in->file             ? getc_unlocked(in->file)
            : in->next < in->end ? (unsigned char)*in->next++
                                 : EOF;
    in->offset += c != EOF;
    return c;
}

static int skip_space(struct source *in)
{
    int c;
    while ((c = peek(in)) == ' ' || c == '\t' || c == '\n' || c == '\r')
        take(in);
    return c;
}

static bool fail(struct split *s, const struct source *in, const char *expected)
{
    if (!*s->why)
        snprintf(s->why, OTLP_WHY_MAX, "byte %llu: expected %s", (unsigned long long)in->offset,
                 expected);
    return false;
}

static bool expect(struct split *s, struct source *in, int wanted)
{
    char text[] = {'\'', (char)wanted, '\'', 0};
    if (skip_space(in) != wanted)
        return fail(s, in, text);
    take(in);
    return true;
}

/* ---- values, as they are ----------------------------------------------------------------- */

/* `out` may be NULL. */
static bool copy_string(struct split *s, struct source *in, struct buffer *out)
{
    if (!expect(s, in, '"'))
        return false;
    if (out)
        buffer_byte(out, '"');
    for (;;) {
        int c = take(in);
        if (c == EOF)
            return fail(s, in, "the end of a string");
        if (out)
            buffer_byte(out, (char)c);
        if (c == '"')
            return true;
        if (c == '\\') {
            c = take(in);
            if (out && c != EOF)
                buffer_byte(out, (char)c);
        }
    }
}

static bool copy_word(struct split *s, struct source *in, struct buffer *out)
{
    int c;
    size_t length = 0;
    while ((c = peek(in)) != EOF && (isalnum(c) || strchr("+-.", c)) && length++ < 512) {
        take(in);
        if (out)
            buffer_byte(out, (char)c);
    }
    return length > 0 || fail(s, in, "a value");
}

/* An object or array: only the brackets are matched, what is within is checked by who reads it. */
static bool copy_nested(struct split *s, struct source *in, struct buffer *out)
{
    char closing[DEPTH_MAX];
    unsigned depth = 0;
    do {
        int c = skip_space(in);
        if (c == '"') {
            if (!copy_string(s, in, out))
                return false;
            continue;
        }
        if (c == EOF)
            return fail(s, in, "a closing bracket");
        if (c == '{' || c == '[') {
            if (depth == DEPTH_MAX)
                return fail(s, in, "fewer brackets within each other");
            closing[depth++] = c == '{' ? '}' : ']';
        } else if ((c == '}' || c == ']') && closing[--depth] != c) {
            return fail(s, in, "the other closing bracket");
        }
        take(in);
        if (out)
            buffer_byte(out, (char)c);
        if (out && out->length > KEPT_BYTES_MAX)
            return fail(s, in,
                        "resources and scopes to stand before their spans in a large document");
    } while (depth > 0);
    return true;
}

static bool copy_value(struct split *s, struct source *in, struct buffer *out)
{
    int c = skip_space(in);
    return c == '"'               ? copy_string(s, in, out)
           : c == '{' || c == '[' ? copy_nested(s, in, out)
                                  : copy_word(s, in, out);
}

/* ---- requests ---------------------------------------------------------------------------- */

static void close_scope(struct split *s)
{
    if (s->in_scope)
        buffer_text(&s->request, "]}");
    s->in_scope = false;
}

static void close_resource(struct split *s)
{
    close_scope(s);
    if (s->in_resource)
        buffer_text(&s->request, "]}");
    s->in_resource = false;
}

static bool flush(struct split *s)
{
    if (s->spans == 0)
        return true;
    close_resource(s);
    buffer_text(&s->request, "]}");
    if (s->request.failed)
        snprintf(s->why, OTLP_WHY_MAX, "no memory");
    else
        s->sent =
            s->options->send(s->options->context, s->request.data, s->request.length, s->spans);
    buffer_clear(&s->request);
    s->spans = 0;
    return s->sent == 0 && !*s->why;
}

/* Opens the lists that the next span goes to. */
static void open_lists(struct split *s)
{
    if (s->request.length == 0)
        buffer_text(&s->request, "{\"resourceSpans\":[");
    if (!s->in_resource) {
        buffer_text(&s->request, s->spans > 0 ? ",{" : "{");
        if (s->resource.length > 0) {
            buffer_text(&s->request, "\"resource\":");
            buffer_append(&s->request, s->resource.data, s->resource.length);
            buffer_byte(&s->request, ',');
        }
        buffer_text(&s->request, "\"scopeSpans\":[");
        s->in_resource = true;
    } else if (!s->in_scope) {
        buffer_byte(&s->request, ',');
    }
    if (!s->in_scope) {
        buffer_byte(&s->request, '{');
        if (s->scope.length > 0) {
            buffer_text(&s->request, "\"scope\":");
            buffer_append(&s->request, s->scope.data, s->scope.length);
            buffer_byte(&s->request, ',');
        }
        buffer_text(&s->request, "\"spans\":[");
        s->in_scope = true;
    } else {
        buffer_byte(&s->request, ',');
    }
}

/* ---- the document ------------------------------------------------------------------------ */

typedef bool item_reader(struct split *s, struct source *in);

static bool read_array(struct split *s, struct source *in, item_reader *item)
{
    if (!expect(s, in, '['))
        return false;
    if (skip_space(in) == ']')
        return expect(s, in, ']');
    for (;;) {
        if (!item(s, in))
            return false;
        int c = skip_space(in);
        if (c != ',')
            return expect(s, in, ']');
        take(in);
    }
}

static bool read_span(struct split *s, struct source *in)
{
    open_lists(s);
    if (skip_space(in) != '{')
        return fail(s, in, "a span");
    if (!copy_nested(s, in, &s->request))
        return false;
    s->spans++;
    return (s->request.length < s->options->request_bytes &&
            s->spans < s->options->request_spans) ||
           flush(s);
}

/* An object of which `head` is to be known before the items of `list` are read. */
struct group {
    const char *head, *list;
    item_reader *item;
    void (*begin)(struct split *s); /* the head is another one from now on */
    struct buffer *head_value;
};

static bool read_kept(struct split *s, struct buffer *kept, const struct group *g)
{
    if (kept->length == 0)
        return true;
    struct source in = {.next = kept->data, .end = kept->data + kept->length};
    return read_array(s, &in, g->item);
}

static bool read_member(struct split *s, struct source *in, const struct group *g,
                        struct buffer *kept, bool *head_known)
{
    struct buffer key = {0};
    bool read = copy_string(s, in, &key) && expect(s, in, ':');
    bool is_head = read && key.length == strlen(g->head) + 2 &&
                   memcmp(key.data + 1, g->head, key.length - 2) == 0;
    bool is_list = read && key.length == strlen(g->list) + 2 &&
                   memcmp(key.data + 1, g->list, key.length - 2) == 0;
    buffer_fini(&key);
    if (!read)
        return false;
    if (is_head) {
        *head_known = true;
        g->begin(s);
        buffer_clear(g->head_value);
        return copy_value(s, in, g->head_value);
    }
    if (!is_list)
        return copy_value(s, in, NULL);
    return *head_known ? read_array(s, in, g->item) : copy_value(s, in, kept);
}

static bool read_group(struct split *s, struct source *in, const struct group *g)
{
    struct buffer kept = {0};
    bool head_known = false, good = expect(s, in, '{');
    g->begin(s);
    buffer_clear(g->head_value);
    if (good && skip_space(in) != '}') {
        do
            good = read_member(s, in, g, &kept, &head_known);
        while (good && skip_space(in) == ',' && take(in));
    }
    good = good && expect(s, in, '}') && read_kept(s, &kept, g);
    buffer_fini(&kept);
    return good;
}

static bool read_scope(struct split *s, struct source *in)
{
    return read_group(s, in, &(struct group){"scope", "spans", read_span, close_scope, &s->scope});
}

static bool read_resource(struct split *s, struct source *in)
{
    return read_group(
        s, in, &(struct group){"resource", "scopeSpans", read_scope, close_resource, &s->resource});
}

static bool read_document(struct split *s, struct source *in)
{
    bool found = false;
    if (!expect(s, in, '{'))
        return false;
    if (skip_space(in) != '}') {
        do {
            struct buffer key = {0};
            bool good = copy_string(s, in, &key) && expect(s, in, ':');
            bool is_list =
                good && key.length == 15 && memcmp(key.data, "\"resourceSpans\"", 15) == 0;
            buffer_fini(&key);
            found = found || is_list;
            if (!good || !(is_list ? read_array(s, in, read_resource) : copy_value(s, in, NULL)))
                return false;
        } while (skip_space(in) == ',' && take(in));
    }
    if (!expect(s, in, '}'))
        return false;
    return found || fail(s, in, "an object with \"resourceSpans\" before here");
}

int otlp_split(FILE *file, const struct otlp_split_options *options, char why[OTLP_WHY_MAX])
{
    struct split s = {.options = options, .why = why};
    struct source in = {.file = file};
    bool good = true;
    *why = 0;
    while (good && skip_space(&in) != EOF)
        good = read_document(&s, &in);
    if (good)
        good = flush(&s);
    if (good && ferror(file)) {
        snprintf(why, OTLP_WHY_MAX, "byte %llu: it cannot be read", (unsigned long long)in.offset);
        good = false;
    }
    buffer_fini(&s.request);
    buffer_fini(&s.resource);
    buffer_fini(&s.scope);
    return good ? 0 : s.sent ? s.sent : -1;
}

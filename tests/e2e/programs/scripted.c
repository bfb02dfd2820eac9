// SPDX-License-Identifier: Apache-2.0
/* A service that does what it is told, one command a line on its standard input, and answers each
 * with one line. Calls go to the thread's current span, as they would in a request.
 *
 *   begin KIND NAME            -> its traceparent ("-" where nothing is recorded)
 *   from TRACEPARENT KIND NAME -> the same, for a span whose parent came in a header
 *   string|int|double|bool|bytes KEY VALUE
 *   status ok|error|unset [MESSAGE]
 *   event NAME KEY VALUE
 *   link TRACEPARENT KEY VALUE
 *   end
 *   count NAME N               -> of the counter NAME{kind="scripted"}
 *   gauge NAME VALUE
 *   record NAME VALUE          -> of the histogram
 *   losses                     -> the sum of all counters
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weft/weft.h"

/* The next word of the line; the rest is left in *line. */
static const char *word(char **line)
{
    const char *found = strsep(line, " ");
    return found ? found : "";
}

static const char *rest(char **line)
{
    return *line ? *line : "";
}

static enum weft_kind kind_of(const char *text)
{
    static const char *const kinds[] = {"internal", "server", "client", "producer", "consumer"};
    for (int i = 0; i < 5; i++)
        if (strcmp(text, kinds[i]) == 0)
            return (enum weft_kind)i;
    return WEFT_INTERNAL;
}

static void answer_begin(weft_span span)
{
    char traceparent[WEFT_TRACEPARENT_SIZE];
    if (!span.slot || weft_traceparent(span, traceparent) != 0)
        strcpy(traceparent, "-");
    printf("%s\n", traceparent);
}

static void begin(char *line)
{
    enum weft_kind kind = kind_of(word(&line));
    answer_begin(weft_begin(weft_intern(rest(&line)), kind));
}

static void begin_from(char *line)
{
    struct weft_context parent;
    weft_extract_traceparent(&parent, word(&line), NULL);
    enum weft_kind kind = kind_of(word(&line));
    answer_begin(weft_begin_from(weft_intern(rest(&line)), kind, &parent));
}

static void set_attribute(const char *type, char *line)
{
    weft_span span = weft_current();
    struct weft_name *key = weft_intern(word(&line));
    const char *value = rest(&line);
    if (strcmp(type, "string") == 0)
        weft_set_string(span, key, value);
    else if (strcmp(type, "int") == 0)
        weft_set_int(span, key, strtoll(value, NULL, 10));
    else if (strcmp(type, "double") == 0)
        weft_set_double(span, key, strtod(value, NULL));
    else if (strcmp(type, "bool") == 0)
        weft_set_bool(span, key, strcmp(value, "true") == 0);
    else
        weft_set_bytes(span, key, value, strlen(value));
    puts("ok");
}

static void set_status(char *line)
{
    const char *status = word(&line);
    const char *message = line;
    weft_set_status(weft_current(),
                    strcmp(status, "error") == 0 ? WEFT_ERROR
                    : strcmp(status, "ok") == 0  ? WEFT_OK
                                                 : WEFT_UNSET,
                    message);
    puts("ok");
}

static struct weft_attribute string_attribute(char *line)
{
    struct weft_attribute a = {.key = weft_intern(word(&line)), .type = WEFT_TYPE_STRING};
    a.value.bytes = rest(&line);
    a.length = strlen(a.value.bytes);
    return a;
}

static void add_event(char *line)
{
    struct weft_name *name = weft_intern(word(&line));
    struct weft_attribute a = string_attribute(line);
    weft_event(weft_current(), name, &a, 1);
    puts("ok");
}

static void add_link(char *line)
{
    struct weft_context to;
    int parsed = weft_extract_traceparent(&to, word(&line), NULL);
    struct weft_attribute a = string_attribute(line);
    weft_link(weft_current(), &to, &a, 1);
    puts(parsed == 0 ? "ok" : "no traceparent");
}

static void answer_losses(void)
{
    struct weft_losses l;
    weft_get_losses(&l);
    printf("%lu\n",
           (unsigned long)(l.no_slot + l.ring_full + l.no_thread_slab + l.no_memory + l.no_file +
                           l.attribute_no_room + l.names_full + l.stale_handle));
}

static void count(const char *type, char *line)
{
    const char *name = word(&line), *value = rest(&line);
    const char *const texts[] = {name, "kind", "scripted", NULL};
    if (strcmp(type, "count") == 0)
        weft_counter_add(weft_bind_counter(texts), strtoull(value, NULL, 10));
    else if (strcmp(type, "gauge") == 0)
        weft_gauge_set(weft_bind_gauge(texts), strtod(value, NULL));
    else
        weft_histogram_record(weft_bind_histogram(texts), strtod(value, NULL));
    puts("ok");
}

static void obey(char *line)
{
    const char *command = word(&line);
    if (strcmp(command, "begin") == 0)
        begin(line);
    else if (strcmp(command, "from") == 0)
        begin_from(line);
    else if (strcmp(command, "status") == 0)
        set_status(line);
    else if (strcmp(command, "event") == 0)
        add_event(line);
    else if (strcmp(command, "link") == 0)
        add_link(line);
    else if (strcmp(command, "losses") == 0)
        answer_losses();
    else if (strcmp(command, "count") == 0 || strcmp(command, "gauge") == 0 ||
             strcmp(command, "record") == 0)
        count(command, line);
    else if (strcmp(command, "end") == 0) {
        weft_end(weft_current());
        puts("ok");
    } else
        set_attribute(command, line);
}

int main(void)
{
    static char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        obey(line);
        fflush(stdout);
    }
    return 0;
}

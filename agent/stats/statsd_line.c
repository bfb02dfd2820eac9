// SPDX-License-Identifier: Apache-2.0
#include "agent/stats/statsd_line.h"

#include <math.h>
#include <stdlib.h>

enum { NUMBER_BYTES_MAX = 48 };

/* One in a million: what comes is taken so many times. */
#define RATE_LEAST 1e-6

/* Up to the next `mark`, which is passed; everything where there is none. */
static struct batch_str take_until(struct batch_str *rest, char mark)
{
    const char *at = rest->length ? memchr(rest->bytes, mark, rest->length) : NULL;
    struct batch_str piece = {rest->bytes, at ? (uint32_t)(at - rest->bytes) : rest->length};
    uint32_t passed = piece.length + (at ? 1 : 0);
    *rest = (struct batch_str){rest->bytes + passed, rest->length - passed};
    return piece;
}

static bool parse_number(struct batch_str text, double *number)
{
    char copy[NUMBER_BYTES_MAX], *end;
    if (text.length == 0 || text.length >= sizeof copy)
        return false;
    memcpy(copy, text.bytes, text.length);
    copy[text.length] = '\0';
    *number = strtod(copy, &end);
    return end == copy + text.length && isfinite(*number);
}

static bool parse_type(struct batch_str text, enum statsd_type *type)
{
    static const struct {
        const char *text;
        enum statsd_type type;
    } types[] = {{"c", STATSD_COUNTER},   {"m", STATSD_COUNTER},   {"g", STATSD_GAUGE},
                 {"ms", STATSD_TIMER_MS}, {"h", STATSD_HISTOGRAM}, {"d", STATSD_HISTOGRAM},
                 {"s", STATSD_SET}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (batch_str_is(text, types[i].text)) {
            *type = types[i].type;
            return true;
        }
    return false;
}

static bool parse_value(struct statsd_line *line, struct batch_str text)
{
    if (line->value_count == STATSD_VALUES_MAX || text.length == 0)
        return false;
    struct statsd_value *v = &line->values[line->value_count++];
    *v = (struct statsd_value){.text = text};
    if (line->type == STATSD_SET)
        return true;
    v->relative = line->type == STATSD_GAUGE && (*text.bytes == '+' || *text.bytes == '-');
    return parse_number(text, &v->number);
}

static bool parse_values(struct statsd_line *line, struct batch_str text)
{
    if (line->type == STATSD_SET) /* its value may hold anything */
        return parse_value(line, text);
    while (text.length > 0)
        if (!parse_value(line, take_until(&text, ':')))
            return false;
    return line->value_count > 0;
}

/* ---- tags -------------------------------------------------------------------------------- */

/* In its place; of two with one name the later counts. False: too many. */
static bool add_label(struct statsd_line *line, struct stats_label label)
{
    uint32_t at = line->label_count;
    while (at > 0 && batch_str_compare(line->labels[at - 1].name, label.name) > 0)
        at--;
    if (at > 0 && batch_str_equal(line->labels[at - 1].name, label.name)) {
        line->labels[at - 1] = label;
        return true;
    }
    if (line->label_count == STATS_LABELS_MAX)
        return false;
    memmove(&line->labels[at + 1], &line->labels[at],
            (line->label_count - at) * sizeof line->labels[0]);
    line->labels[at] = label;
    line->label_count++;
    return true;
}

/* A tag without a value is one that is set: "true". */
static bool parse_tags(struct statsd_line *line, struct batch_str text)
{
    while (text.length > 0) {
        struct batch_str tag = take_until(&text, ',');
        struct batch_str name = take_until(&tag, ':');
        if (name.length == 0)
            continue;
        struct stats_label label = {name, tag.length ? tag : (struct batch_str){"true", 4}};
        if (!add_label(line, label))
            return false;
    }
    return true;
}

bool statsd_line_parse(const char *text, size_t length, struct statsd_line *line)
{
    if (length > UINT32_MAX)
        return false;
    struct batch_str rest = {text, (uint32_t)length};
    line->name = take_until(&rest, ':');
    line->rate = 1;
    line->value_count = line->label_count = 0;
    struct batch_str values = take_until(&rest, '|'), type = take_until(&rest, '|');
    if (line->name.length == 0 || line->name.length > STATS_TEXT_MAX ||
        !parse_type(type, &line->type) || !parse_values(line, values))
        return false;
    while (rest.length > 0) {
        struct batch_str part = take_until(&rest, '|');
        if (part.length > 1 && *part.bytes == '@') {
            if (!parse_number((struct batch_str){part.bytes + 1, part.length - 1}, &line->rate) ||
                !(line->rate >= RATE_LEAST && line->rate <= 1))
                return false;
        } else if (part.length > 0 && *part.bytes == '#') {
            if (!parse_tags(line, (struct batch_str){part.bytes + 1, part.length - 1}))
                return false;
        } /* further parts (a container's id, a time) are others' extensions: passed over */
    }
    return true;
}

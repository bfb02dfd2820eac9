// SPDX-License-Identifier: Apache-2.0
#include "collector/series/pattern.h"

#include <ctype.h>
#include <stdlib.h>

struct scan {
    const char *at, *end;
};

/* The next character, if it stands for itself. */
static bool literal(struct scan *s, char *c)
{
    if (s->at == s->end || (*s->at != '\\' && strchr("^$.|?*+()[]{}", *s->at) && *s->at))
        return false;
    if (*s->at != '\\') {
        *c = *s->at++;
        return *c != '\0';
    }
    /* A backslash before punctuation: the character itself. Before a letter or a digit: a class. */
    if (s->end - s->at < 2 || !ispunct((unsigned char)s->at[1]) || s->at[1] == '_')
        return false;
    *c = s->at[1];
    s->at += 2;
    return true;
}

/* The inside of a group that is all of the pattern. */
static struct scan without_group(struct scan s)
{
    if (s.end - s.at < 2 || *s.at != '(' || s.end[-1] != ')' || s.end[-2] == '\\')
        return s;
    s.at++;
    s.end--;
    if (s.end - s.at >= 2 && s.at[0] == '?' && s.at[1] == ':')
        s.at += 2;
    return s;
}

static bool find_values(struct pattern *p, struct scan s)
{
    char *to = p->text, *begin = p->text;
    for (;;) {
        while (literal(&s, to))
            to++;
        if ((s.at < s.end && *s.at != '|') || p->count == PATTERN_VALUES_MAX)
            return false;
        p->values[p->count++] = (struct batch_str){begin, (uint32_t)(to - begin)};
        begin = to;
        if (s.at == s.end)
            return true;
        s.at++;
    }
}

static void find_prefix(struct pattern *p, struct scan s)
{
    char *to = p->text;
    for (const char *c = s.at; c < s.end; c++)
        if (*c == '|')
            return;
    while (literal(&s, to))
        to++;
    /* The last one may be what is repeated, or not there at all. It may be longer than a byte. */
    if (s.at < s.end && strchr("?*+{", *s.at)) {
        while (to > p->text && ((unsigned char)to[-1] & 0xc0) == 0x80)
            to--;
        if (to > p->text)
            to--;
    }
    p->prefix = (struct batch_str){p->text, (uint32_t)(to - p->text)};
}

int pattern_init(struct pattern *p, struct batch_str regex)
{
    struct scan s = {regex.bytes, regex.bytes + regex.length};
    *p = (struct pattern){0};
    p->text = malloc(regex.length + 1U);
    p->values = malloc(PATTERN_VALUES_MAX * sizeof *p->values);
    if (!p->text || !p->values) {
        pattern_fini(p);
        return -1;
    }
    p->is_finite = find_values(p, without_group(s));
    if (!p->is_finite)
        find_prefix(p, s);
    return 0;
}

void pattern_fini(struct pattern *p)
{
    free(p->values);
    free(p->text);
    *p = (struct pattern){0};
}

// SPDX-License-Identifier: Apache-2.0
/* W3C Trace Context, 3.3: a list of at most 32 members, key=value, separated by commas; who changes
 * one moves it to the front, and nobody may have it twice. Where there is no room for all of them,
 * those of more than 128 bytes go first, then the last ones.
 *
 * In our value what is not a letter, a digit or one of -._~ stands as %XX, and there are 64 bytes
 * of it at most: a name that is longer is cut off, never within a %XX. */
#include "client/tracestate.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "client/identity.h"

#define KEY "weft="
enum { KEY_BYTES = sizeof KEY - 1, VALUE_MAX = 64, MEMBERS_MAX = 32, LARGE = 128 };

static char own[KEY_BYTES + VALUE_MAX];
static _Atomic size_t own_length; /* 0: not settled, or off. Release after the bytes */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void tracestate_settle(const char *service)
{
    size_t used = KEY_BYTES;
    if (identity_number("WEFT_TRACESTATE", 1, 0, 1) == 0)
        return;
    memcpy(own, KEY, KEY_BYTES);
    for (; *service; service++) {
        size_t need = is_plain(*service) ? 1 : 3;
        if (used + need > sizeof own)
            break;
        own[used] = *service;
        if (need == 3) {
            own[used] = '%';
            own[used + 1] = "0123456789ABCDEF"[(unsigned char)*service >> 4];
            own[used + 2] = "0123456789ABCDEF"[(unsigned char)*service & 15];
        }
        used += need;
    }
    /* pairs with the acquire in tracestate_write() */
    atomic_store_explicit(&own_length, used > KEY_BYTES ? used : 0, memory_order_release);
}

/* ---- members ----------------------------------------------------------------------------- */

struct member {
    const char *text;
    size_t length;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* The next one that is not empty. False: there is none. */
static bool next_member(const char **at, const char *end, struct member *m)
{
    while (*at < end) {
        const char *comma = memchr(*at, ',', (size_t)(end - *at));
        const char *begin = *at, *stop = comma ? comma : end;
        *at = comma ? comma + 1 : end;
        while (begin < stop && is_space(*begin))
            begin++;
        while (begin < stop && is_space(stop[-1]))
            stop--;
        *m = (struct member){begin, (size_t)(stop - begin)};
        if (m->length)
            return true;
    }
    return false;
}

static bool is_ours(const struct member *m)
{
    return m->length >= KEY_BYTES && memcmp(m->text, KEY, KEY_BYTES) == 0;
}

bool tracestate_is_ours_alone(const char *text, size_t length)
{
    const char *at = text, *end = text + length;
    struct member m;
    size_t members = 0;
    for (; next_member(&at, end, &m); members++)
        if (!is_ours(&m))
            return false;
    return members > 0;
}

/* Leaves out from the end what is longer than `longest`, until they fit. */
static void make_room(struct member *members, size_t count, size_t longest, size_t *bytes)
{
    for (size_t i = count; i-- > 0 && *bytes > TRACESTATE_SIZE - 1;)
        if (members[i].length > longest) {
            *bytes -= members[i].length + 1;
            members[i].length = 0;
        }
}

size_t tracestate_write(const char *text, size_t length, char out[TRACESTATE_SIZE])
{
    size_t own_bytes = atomic_load_explicit(&own_length, memory_order_acquire);
    struct member members[MEMBERS_MAX];
    size_t count = 0, bytes = own_bytes, used = own_bytes;
    const char *at = text, *end = text + length;
    while (count < MEMBERS_MAX - (own_bytes > 0) && next_member(&at, end, &members[count]))
        if (!is_ours(&members[count]) || own_bytes == 0)
            bytes += members[count++].length + 1;
    make_room(members, count, LARGE, &bytes);
    make_room(members, count, 0, &bytes);
    memcpy(out, own, own_bytes);
    for (size_t i = 0; i < count; i++) {
        if (members[i].length == 0)
            continue;
        if (used)
            out[used++] = ',';
        memcpy(out + used, members[i].text, members[i].length);
        used += members[i].length;
    }
    out[used] = '\0';
    return used;
}

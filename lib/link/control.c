// SPDX-License-Identifier: Apache-2.0
#include "lib/link/control.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "weft.pb-c.h"

enum { PREFIX_BYTES = sizeof LINK_CONTROL_PREFIX - 1, SIGNATURE_BYTES = crypto_sign_BYTES };

_Static_assert(LINK_CONTROL_KEY_BYTES == crypto_sign_PUBLICKEYBYTES, "Ed25519");
_Static_assert(LINK_CONTROL_SECRET_BYTES == crypto_sign_SECRETKEYBYTES, "Ed25519");

/* ---- switches ---------------------------------------------------------------------------- */

static const struct link_switch *find(const struct link_switches *s, const char *service)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->items[i].service, service) == 0)
            return &s->items[i];
    }
    return NULL;
}

bool link_switches_on(const struct link_switches *s, const char *service)
{
    const struct link_switch *item = find(s, service);
    return item ? item->on : !s->all_off;
}

bool link_switches_set(struct link_switches *s, const char *service, bool on)
{
    size_t length = strlen(service);
    if (length > LINK_SERVICE_MAX)
        return false;
    if (strcmp(service, "*") == 0) {
        s->all_off = !on;
        s->count = 0;
        return true;
    }
    struct link_switch *item = (struct link_switch *)find(s, service);
    if (on != s->all_off) { /* as all do: no item needed */
        if (item)
            *item = s->items[--s->count];
        return true;
    }
    if (!item) {
        if (s->count == LINK_SWITCHES_MAX)
            return false;
        item = &s->items[s->count++];
        memcpy(item->service, service, length + 1);
    }
    item->on = on;
    return true;
}

void link_switches_difference(const struct link_switches *before, const struct link_switches *after,
                              void (*each)(void *context, const char *service, bool on),
                              void *context)
{
    bool all_changed = before->all_off != after->all_off;
    if (all_changed)
        each(context, "*", !after->all_off);
    for (size_t i = 0; i < after->count; i++) {
        const struct link_switch *item = &after->items[i];
        if (all_changed || link_switches_on(before, item->service) != item->on)
            each(context, item->service, item->on);
    }
    for (size_t i = 0; i < before->count && !all_changed; i++) {
        const struct link_switch *item = &before->items[i];
        if (!find(after, item->service) && item->on == after->all_off)
            each(context, item->service, !after->all_off);
    }
}

/* ---- messages ---------------------------------------------------------------------------- */

int link_switch_messages_init(struct link_switch_messages *m, const struct link_switches *s)
{
    static char all[] = "*";
    m->count = 0;
    m->messages = calloc(s->count + 1, sizeof *m->messages);
    m->pointers = calloc(s->count + 1, sizeof *m->pointers);
    if (!m->messages || !m->pointers) {
        link_switch_messages_fini(m);
        return -1;
    }
    for (size_t i = 0; i < s->count + s->all_off; i++) {
        Weft__Switch *message = &m->messages[i];
        weft__switch__init(message);
        if (s->all_off && i == 0) {
            message->service = all;
            message->on = false;
        } else {
            const struct link_switch *item = &s->items[i - s->all_off];
            message->service = (char *)item->service;
            message->on = item->on;
        }
        m->pointers[i] = message;
    }
    m->count = s->count + s->all_off;
    return 0;
}

void link_switch_messages_fini(struct link_switch_messages *m)
{
    free(m->messages);
    free(m->pointers);
    *m = (struct link_switch_messages){0};
}

void link_switches_read(struct link_switches *s, Weft__Switch *const *messages, size_t count)
{
    s->all_off = false;
    s->count = 0;
    for (size_t i = 0; i < count; i++)
        link_switches_set(s, messages[i]->service, messages[i]->on);
}

int link_control_write(struct buffer *out, const struct link_switches *s, uint64_t counter,
                       const uint8_t secret[LINK_CONTROL_SECRET_BYTES])
{
    struct link_switch_messages switches;
    if (link_switch_messages_init(&switches, s) < 0)
        return -1;
    Weft__Control control = WEFT__CONTROL__INIT;
    control.counter = counter;
    control.n_switches = switches.count;
    control.switches = switches.pointers;
    size_t length = weft__control__get_packed_size(&control);
    uint8_t *room = (uint8_t *)buffer_reserve(out, PREFIX_BYTES + length + SIGNATURE_BYTES);
    if (room) {
        memcpy(room, LINK_CONTROL_PREFIX, PREFIX_BYTES);
        weft__control__pack(&control, room + PREFIX_BYTES);
        length += PREFIX_BYTES;
        crypto_sign_detached(room + length, NULL, room, length, secret);
        out->length += length + SIGNATURE_BYTES;
    }
    link_switch_messages_fini(&switches);
    return room ? 0 : -1;
}

bool link_control_read(const void *bytes, size_t length, const uint8_t key[LINK_CONTROL_KEY_BYTES],
                       uint64_t *counter, struct link_switches *s)
{
    const uint8_t *text = bytes;
    if (length < PREFIX_BYTES + SIGNATURE_BYTES ||
        memcmp(text, LINK_CONTROL_PREFIX, PREFIX_BYTES) != 0)
        return false;
    length -= SIGNATURE_BYTES;
    if (crypto_sign_verify_detached(text + length, text, length, key) != 0)
        return false;
    Weft__Control *control =
        weft__control__unpack(NULL, length - PREFIX_BYTES, text + PREFIX_BYTES);
    if (!control)
        return false;
    *counter = control->counter;
    link_switches_read(s, control->switches, control->n_switches);
    weft__control__free_unpacked(control, NULL);
    return true;
}

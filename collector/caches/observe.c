// SPDX-License-Identifier: Apache-2.0
#include "collector/caches/observe.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"

enum { QUEUE_MOST = 256, AGE_EVERY_MS = 10000, ARENA_BYTES = 32 << 10 };

_Static_assert((int)CACHES_EDISK == (int)OBSERVED_EDISK &&
                   (int)CACHES_EREFUSED == (int)OBSERVED_EREFUSED &&
                   (int)MARKS_EDISK == (int)OBSERVED_EDISK,
               "one number, several names");

/* A window on its way: a batch of it alone. */
struct item {
    size_t length;
    uint8_t bytes[];
};

static struct item *item_of(const struct batch_window *w)
{
    struct batch_builder *builder = batch_builder_create();
    struct buffer bytes = {0};
    struct item *item = NULL;
    if (builder) {
        batch_window_add(builder, w);
        if (batch_encode(builder, &bytes) == 0)
            item = malloc(sizeof *item + bytes.length);
    }
    if (item) {
        item->length = bytes.length;
        memcpy(item->bytes, bytes.data, bytes.length);
    }
    buffer_fini(&bytes);
    batch_builder_destroy(&builder);
    return item;
}

static void look(void *known, const struct batch *b, bool (*take)(void *context, void *item),
                 void *context)
{
    (void)known;
    for (uint32_t i = 0; i < b->window_count; i++)
        if (!take(context, item_of(&b->windows[i])))
            return;
}

static int64_t now_ms(void)
{
    return (int64_t)(clock_unix_ns() / 1000000);
}

/* What was stored need not be again, while marks or series cannot be told. */
static int write_window(struct caches_watch *watch, const struct batch_window *w)
{
    if (!watch->stored) {
        int result = caches_put(watch->caches, w, now_ms());
        if (result != 0) {
            caches_error(watch->caches, watch->why, sizeof watch->why);
            return result;
        }
    }
    watch->stored = true;
    if (watch->hot_keys && hot_keys_see(watch->hot_keys, w, watch->why, sizeof watch->why) != 0)
        return OBSERVED_EDISK;
    watch->stored = false;
    return 0;
}

static int write_item(void *target, const void *item)
{
    const struct item *i = item;
    struct caches_watch *watch = target;
    struct arena arena;
    int error, result = OBSERVED_EDISK;
    arena_init(&arena, ARENA_BYTES);
    const struct batch *b = batch_decode(&arena, i->bytes, i->length, 16 << 20, &error);
    if (b)
        result = write_window(watch, &b->windows[0]);
    else
        snprintf(watch->why, sizeof watch->why, "%s", batch_error_text(error));
    arena_fini(&arena);
    return result;
}

static void error(void *target, char *out, size_t size)
{
    const struct caches_watch *watch = target;
    snprintf(out, size, "%s", watch->why);
}

static int reached(void *target, struct journal_position *at)
{
    const struct caches_watch *watch = target;
    return caches_reached(watch->caches, at);
}

/* All that was written until now will not be told again: it may be summed up. */
static int set_reached(void *target, struct journal_position at)
{
    struct caches_watch *watch = target;
    int64_t now = now_ms();
    int result = caches_set_reached(watch->caches, at);
    if (result == 0 && now >= watch->aged_unix_ms + AGE_EVERY_MS) {
        result = caches_age(watch->caches, now);
        watch->aged_unix_ms = now;
    }
    if (result != 0)
        caches_error(watch->caches, watch->why, sizeof watch->why);
    return result;
}

struct observer *caches_observer_create(struct caches_watch *watch, struct ledger *l)
{
    static const struct observed what = {
        .name = "caches",
        .lost = "which keys were hot then is not known",
        .queue_most = QUEUE_MOST,
        .look = look,
        .write = write_item,
        .error = error,
        .reached = reached,
        .set_reached = set_reached,
    };
    return observer_create(&what, watch, l);
}

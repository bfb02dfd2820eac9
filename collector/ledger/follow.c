// SPDX-License-Identifier: Apache-2.0
/* Reading the ledger while it is being written, from any thread. */
#include <errno.h>

#include "collector/ledger/internal.h"

struct ledger_end ledger_durable(struct ledger *l)
{
    pthread_mutex_lock(&l->lock);
    struct ledger_end durable = l->durable;
    pthread_mutex_unlock(&l->lock);
    return durable;
}

struct journal_cursor *ledger_follow(struct ledger *l, struct journal_position from, int *error)
{
    return journal_read(l->journal, from, error);
}

bool ledger_has_segment(struct ledger *l, uint64_t segment)
{
    return journal_segment_bytes(l->journal, segment) > 0;
}

/* 1: began before the moment; 0: later, or it is gone or damaged; or -errno. */
static int began_before(struct ledger *l, uint64_t segment, uint64_t unix_ns)
{
    int error = 0;
    const void *bytes;
    uint32_t length;
    struct ledger_state state;
    struct journal_cursor *c =
        journal_read(l->journal, (struct journal_position){segment, 0}, &error);
    if (!c)
        return error;
    journal_preamble(c, &bytes, &length);
    bool before = ledger_state_parse(bytes, length, &state) == 0 && state.written_unix_ns < unix_ns;
    journal_cursor_close(&c);
    return before;
}

/* Segments begin one after the other; some numbers may be missing (then the next is looked at). */
int ledger_find(struct ledger *l, uint64_t unix_ns, struct journal_position *at)
{
    uint64_t low = journal_first_segment(l->journal), high = journal_last_segment(l->journal);
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        int before = began_before(l, middle, unix_ns);
        if (before < 0 && before != -ENOENT)
            return before;
        if (before == 1)
            low = middle;
        else
            high = middle - 1;
    }
    *at = (struct journal_position){low, 0};
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
/* Which exchanges on a connection belong to which client spans: pure reckoning, nothing is kept.
 *
 * The spans are of one host, whose clock may be off from that of the host where the exchanges were
 * seen. An exchange that a span waited for was asked after the span began, and answered before it
 * ended; so with the clocks' offset (the exchanges' less the spans')
 *
 *     answered - end  <=  offset  <=  asked - begin
 *
 * as in collector/query/analysis/skew.h. Of the offset an interval is known; a span and an exchange
 * are a *possible* pair if some offset of it allows them, and a *certain* one if all do. A span
 * gets
 *
 * 1. all its possible exchanges, where none of them is possible for another span, and they fit into
 *    it all at once by one offset: a command, or a pipeline within one span;
 * 2. or where these hang together with other spans', all of its own that are certain, if there are
 *    no others;
 * 3. or one each, in order, where there is just one way to lay the row of spans along the row of
 *    exchanges by one offset. (A cache answers a connection in order.)
 * 4. or the one that it has in all ways to give each span of the row a possible exchange of its
 * own, in order;
 * 5. else nothing: it is ambiguous, and nothing is guessed.
 *
 * What is found narrows what is known of the offset. */
#ifndef WEFT_AGENT_OBSERVE_MATCH_H
#define WEFT_AGENT_OBSERVE_MATCH_H

#include <stddef.h>
#include <stdint.h>

struct match_span {
    uint64_t begin_ns, end_ns; /* Unix, of the client's clock */
};

struct match_exchange {
    uint64_t asked_ns,
        answered_ns; /* Unix, of the tap's clock; where no reply is known, as asked */
};

struct clock_offset {
    int64_t least_ns, most_ns;
};

enum match_result { MATCH_NONE, MATCH_FOUND, MATCH_AMBIGUOUS };

struct match {
    enum match_result result;
    uint32_t first, count; /* FOUND: of the exchanges */
};

/* `spans` by begin, `exchanges` in the order asked. Fills out[span_count]; narrows *offset by what
 * was found. 0, or -1 when memory is out. */
int match_find(const struct match_span *spans, uint32_t span_count,
               const struct match_exchange *exchanges, uint32_t exchange_count,
               struct clock_offset *offset, struct match *out);

#endif

// SPDX-License-Identifier: Apache-2.0
/* The agent's side of the file in which a tap remembers exchanges: trusts nothing of it.
 *
 * Every byte is copied into private memory under a guard (lib/ring/guard.h; guard_install is the
 * program's to call) before it is looked at. What the tap overwrites meanwhile is noticed and left
 * out. Reading costs the tap nothing.
 *
 * A tap that is started anew makes a new file: ask exchange_reader_is_current now and then, and
 * open it again where it is not. One thread at a time. */
#ifndef WEFT_EXCHANGE_EXCHANGE_READER_H
#define WEFT_EXCHANGE_EXCHANGE_READER_H

#include <stddef.h>

#include "lib/exchange/exchange.h"

struct exchange_reader;

/* Opens EXCHANGE_FILE_NAME in a directory: a regular file, no link, of this user or root. NULL with
 * a sentence in `why`, or "" where there is no such file. */
struct exchange_reader *exchange_reader_open(int directory, char *why, size_t why_size);
void exchange_reader_close(struct exchange_reader **r);

/* Whether it is still the file of that name in the directory it was opened in, whole, and of a tap
 * that lives. Some system calls. */
bool exchange_reader_is_current(struct exchange_reader *r);

/* All packets before this moment have been read: exchanges that were done by then are here. */
uint64_t exchange_reader_seen_unix_ns(struct exchange_reader *r);

/* The exchanges of a connection that were asked from `from_unix_ns` to `to_unix_ns`, in the order
 * in which they were asked; how many. `complete`: there are no others of that time that the tap has
 * seen, but for those that are under way still; otherwise older ones may have been overwritten,
 * there are more than `most`, or the walk to them is too long. No more than 131,072 are looked at.
 */
size_t exchange_reader_find(struct exchange_reader *r, const struct exchange_connection *c,
                            uint64_t from_unix_ns, uint64_t to_unix_ns, struct exchange_record *out,
                            size_t most, bool *complete);

/* The caches that the tap watches and whose address is this host's own, loopback too. */
size_t exchange_reader_caches(struct exchange_reader *r, struct exchange_address *out, size_t most);
/* Another number when the list is another. */
uint64_t exchange_reader_caches_generation(struct exchange_reader *r);

#endif

// SPDX-License-Identifier: Apache-2.0
/* The run files in the agent's directory (lib/run/run_file.h): commands of `weft run`. A file goes
 * when the end of its command is in the spool. The loop's thread. */
#ifndef WEFT_AGENT_WATCH_RUNS_H
#define WEFT_AGENT_WATCH_RUNS_H

#include "agent/watch/watched.h"

/* Opens a file and judges it. NULL where it is none of ours; *why says what is wrong with it, NULL
 * where it has gone or may be better another time. */
struct watched *runs_open(struct stats_table *t, int directory, const char *name,
                          uint64_t now_unix_ns, const char **why);
/* Reads what was appended. A command that has died, and whose `weft run` has as well, has an end
 * that nobody saw: that is written into the file. */
void runs_renew(struct watched *w, uint64_t now_unix_ns);
/* The command links libweft: its slab has this name. */
void runs_pair(struct watched *w, const uint8_t slab_uuid[16]);

#endif

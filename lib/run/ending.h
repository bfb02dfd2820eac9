// SPDX-License-Identifier: Apache-2.0
/* How a command ended, for people. No state. */
#ifndef WEFT_RUN_ENDING_H
#define WEFT_RUN_ENDING_H

#include "lib/run/run_file.h"

enum { ENDING_TEXT_MAX = 128 };

/* Words that may stand behind its name: "exited with 3", "was killed by SIGKILL (out of memory)".
 */
void ending_text(const struct run_record *ended, char out[ENDING_TEXT_MAX]);
/* Whether it died, by a signal that does not ask for an end as SIGTERM, SIGINT and SIGHUP do. */
bool ending_is_death(const struct run_record *ended);
/* "listens on port 6379" */
void ending_ready_text(const struct run_record *ready, char out[ENDING_TEXT_MAX]);

#endif

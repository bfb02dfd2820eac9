// SPDX-License-Identifier: Apache-2.0
/* A command under `weft run`: starts it, waits for its end, and writes into the run file what
 * becomes of it. One thread. */
#ifndef WEFT_CLI_RUN_COMMAND_H
#define WEFT_CLI_RUN_COMMAND_H

#include <stdbool.h>

struct run_options {
    const char *service, *version, *cell; /* NULL: not said */
    const char *directory;                /* of the agent */
    bool directory_said;
    bool quiet;
};

enum { RUN_FAILED = 125, RUN_NOT_EXECUTABLE = 126, RUN_NOT_FOUND = 127 }; /* as env(1) has it */

/* The exit status to end with; does not return where the command was killed. `argv` ends with NULL.
 */
int run_command(const struct run_options *options, char **argv);

#endif

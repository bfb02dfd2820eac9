// SPDX-License-Identifier: Apache-2.0
/* The subcommands of `weft`. Each is one file cli/NAME.c with one entry here. */
#ifndef WEFT_CLI_COMMAND_H
#define WEFT_CLI_COMMAND_H

struct command {
    const char *name;
    const char *arguments; /* for the usage line */
    const char *summary;
    /* argv[0] is the subcommand's name. The exit status: 0 good, 1 failed, 2 wrong usage. */
    int (*run)(int argc, char **argv);
};

int command_demo(int argc, char **argv);
int command_traces(int argc, char **argv);
int command_trace(int argc, char **argv);
int command_inflight(int argc, char **argv);
int command_status(int argc, char **argv);
int command_recording(int argc, char **argv);
int command_search(int argc, char **argv);
int command_phases(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_tail(int argc, char **argv);
int command_export(int argc, char **argv);
int command_import(int argc, char **argv);
int command_keygen(int argc, char **argv);
int command_query(int argc, char **argv);
int command_promql(int argc, char **argv);
int command_mark(int argc, char **argv);
int command_marks(int argc, char **argv);
int command_deploys(int argc, char **argv);
int command_deploy(int argc, char **argv);
int command_caches(int argc, char **argv);
int command_top(int argc, char **argv);
int command_run(int argc, char **argv);
int command_doctor(int argc, char **argv);

#endif

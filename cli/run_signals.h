// SPDX-License-Identifier: Apache-2.0
/* The signals of `weft run`: it stands between whoever called it and its command, and both shall
 * see what they would without it.
 *
 * All signals are blocked and taken one by one. What another process sends is passed on; what the
 * terminal sends is not, as the command is in the same group and has had it. Stops are not obeyed:
 * the command's own are followed, so that a shell sees the job stop when the command does. One
 * thread. */
#ifndef WEFT_CLI_RUN_SIGNALS_H
#define WEFT_CLI_RUN_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct run_signals {
    sigset_t before; /* what was blocked ... */
    struct sigaction children_before;
};

void run_signals_block(struct run_signals *s);
/* As it was, in the child that becomes the command. */
void run_signals_restore(const struct run_signals *s);

/* A signal that was taken, other than SIGCHLD. */
void run_signals_pass(pid_t command, const siginfo_t *info);
/* The command was stopped by this signal: so are we, until somebody goes on with us. */
void run_signals_stop(int signal);
/* Ends this process as that signal would, without a core. */
_Noreturn void run_signals_die(int signal);

#endif

// SPDX-License-Identifier: Apache-2.0
#include "cli/run_signals.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/proc/stat.h"

/* A SIGCHLD that is ignored, as whoever called us may have it, would keep the command's end from
 * us. */
void run_signals_block(struct run_signals *s)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &s->before);
    sigaction(SIGCHLD, &standard, &s->children_before);
}

void run_signals_restore(const struct run_signals *s)
{
    sigaction(SIGCHLD, &s->children_before, NULL);
    sigprocmask(SIG_SETMASK, &s->before, NULL);
}

/* ---- passing on -------------------------------------------------------------------------- */

static bool is_stopped(pid_t pid)
{
    struct proc_stat stat;
    return proc_stat_read((uint32_t)pid, &stat, NULL) && stat.state == 'T';
}

/* A terminal that hangs up tells the leader of its session alone: were it not for us, the command.
 */
static bool came_to_us_alone(const siginfo_t *info)
{
    return info->si_code <= 0 || (info->si_signo == SIGHUP && getsid(0) == getpid());
}

void run_signals_pass(pid_t command, const siginfo_t *info)
{
    int number = info->si_signo;
    if (!came_to_us_alone(info) || (number == SIGCONT && !is_stopped(command)))
        return;
    if (info->si_code == SI_QUEUE)
        sigqueue(command, number, info->si_value);
    else
        kill(command, number);
}

/* ---- following --------------------------------------------------------------------------- */

static void raise_as_standard(int number)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    if (number != SIGSTOP && number != SIGKILL)
        sigaction(number, &standard, NULL);
    raise(number);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
}

void run_signals_stop(int number)
{
    struct sigaction before;
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    sigaction(number, NULL, &before);
    raise_as_standard(number);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    if (number != SIGSTOP)
        sigaction(number, &before, NULL);
}

void run_signals_die(int number)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    prctl(PR_SET_DUMPABLE, 0);
    raise_as_standard(number);
    _exit(128 + number); /* the first process of a namespace is not killed so */
}

// SPDX-License-Identifier: Apache-2.0
/* A jump out of the SIGBUS handler. The fault is synchronous, in our own copying code and in a
 * range that the thread has named, so the jump leaves nothing half done. */
#include "lib/ring/guard.h"

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>

static __thread struct {
    uintptr_t base;
    size_t bytes;
    sigjmp_buf *back;
} guarded;

static void on_bus_error(int signal, siginfo_t *info, void *context)
{
    (void)context;
    if (guarded.back && (uintptr_t)info->si_addr - guarded.base < guarded.bytes)
        siglongjmp(*guarded.back, 1);
    /* Not ours: the instruction faults again, without a handler. */
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(signal, &standard, NULL);
}

void guard_install(void)
{
    /* SA_NODEFER: the handler is left by a jump, so the signal must not stay blocked. */
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGBUS, &action, NULL);
}

bool guard_run(const void *base, size_t bytes, void (*step)(void *), void *context)
{
    sigjmp_buf back;
    guarded.base = (uintptr_t)base;
    guarded.bytes = bytes;
    guarded.back = &back;
    bool whole = sigsetjmp(back, 0) == 0;
    if (whole)
        step(context);
    guarded.back = NULL;
    return whole;
}

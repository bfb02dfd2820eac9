// SPDX-License-Identifier: Apache-2.0
#include "lib/run/ending.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

bool ending_is_death(const struct run_record *e)
{
    bool asked = e->code == SIGTERM || e->code == SIGINT || e->code == SIGHUP;
    return e->how == RUN_KILLED && (!asked || (e->flags & (RUN_CORE | RUN_OUT_OF_MEMORY)));
}

static void signal_name(uint32_t number, char *out, size_t size)
{
    const char *name = number < 65 ? sigabbrev_np((int)number) : NULL;
    if (name)
        snprintf(out, size, "SIG%s", name);
    else
        snprintf(out, size, "signal %u", number);
}

void ending_text(const struct run_record *e, char out[ENDING_TEXT_MAX])
{
    char name[32];
    const char *because = e->flags & RUN_OUT_OF_MEMORY ? " (out of memory)"
                          : e->flags & RUN_CORE        ? " (core dumped)"
                                                       : "";
    switch (e->how) {
    case RUN_EXITED:
        if (e->code)
            snprintf(out, ENDING_TEXT_MAX, "exited with %u", e->code);
        else
            snprintf(out, ENDING_TEXT_MAX, "exited");
        return;
    case RUN_KILLED:
        signal_name(e->code, name, sizeof name);
        snprintf(out, ENDING_TEXT_MAX, "was %s by %s%s", ending_is_death(e) ? "killed" : "stopped",
                 name, because);
        return;
    case RUN_NOT_STARTED:
        snprintf(out, ENDING_TEXT_MAX, "could not be started (%s)", strerror((int)e->code));
        return;
    default:
        snprintf(out, ENDING_TEXT_MAX, "ended%s", because);
    }
}

void ending_ready_text(const struct run_record *r, char out[ENDING_TEXT_MAX])
{
    if (r->how == RUN_LISTENS_UNIX)
        snprintf(out, ENDING_TEXT_MAX, "listens on a Unix socket");
    else
        snprintf(out, ENDING_TEXT_MAX, "listens on port %u", r->code);
}

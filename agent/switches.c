// SPDX-License-Identifier: Apache-2.0
#include "agent/switches.h"

#include <stdio.h>
#include <string.h>

bool switches_set(struct switches *s, const char *service, bool on)
{
    size_t i = 0;
    if (on && strcmp(service, "*") == 0) {
        s->count = 0;
        return true;
    }
    while (i < s->count && strcmp(s->off[i], service) != 0)
        i++;
    if (on) {
        if (i < s->count)
            memmove(s->off[i], s->off[--s->count], sizeof s->off[i]);
        return true;
    }
    if (i == SWITCHES_MAX)
        return false;
    if (i == s->count) {
        snprintf(s->off[i], sizeof s->off[i], "%s", service);
        s->count++;
    }
    return true;
}

bool switches_recording(const struct switches *s, const char *service)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->off[i], "*") == 0 || strcmp(s->off[i], service) == 0)
            return false;
    return true;
}

// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/base/clock.h"

enum { DRAW_MS = 100, WIDTH = 30 };

struct progress progress_begin(const char *what)
{
    return (struct progress){
        .what = what, .shown = isatty(STDERR_FILENO), .began_ms = clock_monotonic_ms()};
}

double progress_seconds(const struct progress *p)
{
    int64_t ms = clock_monotonic_ms() - p->began_ms;
    return ms > 0 ? (double)ms / 1000 : 0.001;
}

void progress_show(struct progress *p, uint64_t done, uint64_t total, uint64_t count)
{
    int64_t now = clock_monotonic_ms();
    if (!p->shown || now - p->drawn_ms < DRAW_MS)
        return;
    p->drawn_ms = now;
    double rate = (double)count / progress_seconds(p);
    if (total == 0) {
        fprintf(stderr, "\r%llu %s, %.0f/s\033[K", (unsigned long long)count, p->what, rate);
        return;
    }
    int filled = (int)((double)done / (double)total * WIDTH);
    fprintf(stderr, "\r[");
    for (int i = 0; i < WIDTH; i++)
        fputc(i < filled ? '#' : '.', stderr);
    fprintf(stderr, "] %3.0f %%  %llu %s, %.0f/s\033[K", (double)done * 100 / (double)total,
            (unsigned long long)count, p->what, rate);
}

void progress_end(struct progress *p)
{
    if (p->shown && p->drawn_ms)
        fputs("\r\033[K", stderr);
}

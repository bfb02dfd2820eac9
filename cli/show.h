// SPDX-License-Identifier: Apache-2.0
/* How things look in the terminal: durations, colours, service names. */
#ifndef WEFT_CLI_SHOW_H
#define WEFT_CLI_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "12.4 ms": three digits and a unit. Into one of eight static buffers, used in turn. */
const char *show_duration(double ns);
/* "1.2 MB" */
const char *show_bytes(double bytes);
/* "14:03:12.123", local time. */
const char *show_time(uint64_t unix_ns);

enum show_style { SHOW_PLAIN, SHOW_BOLD, SHOW_DIM, SHOW_RED, SHOW_YELLOW, SHOW_GREEN };

/* Escape sequences, or "" where output is no terminal, is dumb, or NO_COLOR is set. */
const char *show_begin(enum show_style style);
const char *show_end(void);
/* What standard output is now decides, though it may become a pipe to a pager. */
void show_keep_colour(void);
/* A colour that stays with a service's name. */
const char *show_service(const char *service);

/* Prints text that came from elsewhere: control characters as '?', so that no span drives the
 * terminal. At most `columns` characters (0: all); returns how many. */
size_t show_text(const char *text, size_t columns);

#endif

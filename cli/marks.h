// SPDX-License-Identifier: Apache-2.0
/* Marks as the collector lists them, as lines: what `weft marks` and `weft deploys` share. */
#ifndef WEFT_CLI_MARKS_H
#define WEFT_CLI_MARKS_H

#include <jansson.h>
#include <stddef.h>

/* The answer to a list with the options of both commands, which the caller owns; NULL with *status,
 * what the command shall return. */
json_t *marks_ask(int argc, char **argv, const char *path, const char *usage, int *status);

void marks_print(const json_t *mark);
/* Cut or filled up to so many columns. */
void marks_print_text(const char *text, size_t columns);

#endif

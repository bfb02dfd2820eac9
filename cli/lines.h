// SPDX-License-Identifier: Apache-2.0
/* Traces as lines, and options that are parameters of the API: what traces, search and the others
 * share. */
#ifndef WEFT_CLI_LINES_H
#define WEFT_CLI_LINES_H

#include <getopt.h>
#include <jansson.h>
#include <stddef.h>

void lines_trace(const json_t *trace);

/* "?name=value" or "&name=value", escaped. */
void lines_add_parameter(char *query, size_t size, const char *name, const char *value);
/* Long options marked 'p' become parameters of the same name. `query` begins with the path; up to
 * `most` other arguments stay in argv from optind on. 0; or what the command shall return, after a
 * usage (2) or --help (-1: return 0). */
int lines_parse(int argc, char **argv, const struct option *options, int least, int most,
                char *query, size_t size, const char *usage);

#endif

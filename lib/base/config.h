// SPDX-License-Identifier: Apache-2.0
/* A program's configuration: ONE table drives its YAML file, its command line, its --help and
 * its man page (--man).
 *
 *     struct agent_config { char *spool_dir; uint64_t spool_limit; bool tap; };
 *     static const struct config_option options[] = {
 *         {"spool-dir", CONFIG_STRING, "/var/lib/weft/spool",
 *          offsetof(struct agent_config, spool_dir), .help = "where batches wait"},
 *         {"spool-limit", CONFIG_BYTES, "1G", offsetof(struct agent_config, spool_limit),
 *          .min = 16 << 20, .max = 1ull << 50, .help = "…then the oldest batches go"},
 *
 * Later sources win: the table's defaults < the file < the command line. The file is a flat
 * YAML mapping with the same names ("spool-limit: 2G"). Errors are one sentence that says
 * where, what was found and what was expected:
 *
 *     agent.yaml:3: found unknown option "spool-limt", expected "spool-limit"?
 *     --spool-limit: found "a lot", expected a size such as 512M
 *
 * Not thread-safe; nothing is kept between calls, so a program reloads by calling config_load
 * again on a fresh struct.
 */
#ifndef WEFT_BASE_CONFIG_H
#define WEFT_BASE_CONFIG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum config_type {
    CONFIG_STRING,   /* char *, from malloc; NULL where the default text is NULL */
    CONFIG_URL,      /* char *, likewise: http:// or https://, a host, no space */
    CONFIG_BOOL,     /* bool: true, false, yes, no, on, off */
    CONFIG_BYTES,    /* uint64_t: "512M" */
    CONFIG_DURATION, /* uint64_t, nanoseconds: "10ms" */
    CONFIG_INTEGER,  /* int64_t */
};

struct config_option {
    const char *name; /* words joined by '-' */
    enum config_type type;
    const char *default_text; /* as a person would write it */
    size_t offset;            /* of the field in the caller's struct */
    /* Limits, both inclusive, of BYTES, DURATION and INTEGER; 0 and 0: none. */
    int64_t min, max;
    const char *value; /* what --help calls the value; NULL: by type */
    const char *help;  /* one sentence, no full stop */
};

struct config_program {
    const char *name, *version;
    const char *summary;     /* what it is, a few words: "collects spans on this host" */
    const char *description; /* paragraphs for the man page, separated by empty lines */
    /* Read when it is there and no --config was given; NULL: none. */
    const char *default_file;
    const struct config_option *options;
    size_t option_count;
};

enum config_result {
    CONFIG_READY, /* *values is filled */
    CONFIG_EXIT,  /* --help, --version or --man was printed: exit with 0 */
    CONFIG_ERROR, /* `why` says it; *values is cleared */
};

/* Fills *values (a struct of the caller's, zeroed by the caller or cleared before) from all
 * sources. Besides the table's options the command line knows --config FILE, --help,
 * --version and --man. Arguments that are no options are errors. */
enum config_result config_load(const struct config_program *program, int argc, char *const *argv,
                               void *values, char *why, size_t why_size);
/* Frees the strings and sets them to NULL. */
void config_clear(const struct config_program *program, void *values);

/* ---- the parts, for tests and for programs with a command line of their own -------------- */

/* Each returns 0, or -1 with a sentence in `why`. */
int config_defaults(const struct config_program *program, void *values, char *why, size_t why_size);
int config_file(const struct config_program *program, const char *path, void *values, char *why,
                size_t why_size);
/* Sets one option from text; `where` begins the sentence of an error. */
int config_set(const struct config_program *program, const struct config_option *option,
               const char *text, const char *where, void *values, char *why, size_t why_size);
/* By name ('_' counts as '-'), or NULL; then *nearest (may be NULL) is a likely name or NULL. */
const struct config_option *config_find(const struct config_program *program, const char *name,
                                        const char **nearest);
/* "a size such as 512M" … */
const char *config_type_expectation(enum config_type type);

void config_print_help(const struct config_program *program, FILE *out);
void config_print_man(const struct config_program *program, FILE *out);

#endif

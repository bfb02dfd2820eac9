// SPDX-License-Identifier: Apache-2.0
/* A test script of Prometheus, run line by line against a source in memory. */
#ifndef WEFT_TESTS_PROMQLTEST_SCRIPT_H
#define WEFT_TESTS_PROMQLTEST_SCRIPT_H

#include "tests/promqltest/memory_source.h"
#include "tests/promqltest/values.h"

/* What an `eval` expects. */
struct expected_text {
    enum { TEXT_ANY, TEXT_EXACT, TEXT_PATTERN } form;
    const char *text;
};

enum { EXPECTED_TEXTS_MAX = 16 };

struct expected_texts {
    bool wanted, unwanted;
    size_t count;
    struct expected_text list[EXPECTED_TEXTS_MAX];
};

struct expected_series {
    struct labels labels;
    struct sequence values;
    size_t line;
};

struct evaluated {
    const char *expr;
    size_t line;
    bool range;
    int64_t start_ms, end_ms, step_ms; /* of what is evaluated */
    int64_t from_ms, gap_ms;           /* of the expected points */
    bool range_vector;                 /* an instant query that yields ranges */
    bool ordered, fails;
    struct expected_text failure;
    struct expected_texts warnings, infos;
    bool scalar, string;
    double number;
    struct batch_str text;
    size_t count;
    struct expected_series *series;
};

struct script {
    const char *path;
    struct arena arena;
    char **lines; /* trimmed; comments are empty */
    size_t count, at;
    struct memory_source source;
    size_t passed, failed;
};

/* False, with the reason on stderr, for a file that cannot be read. */
bool script_open(struct script *s, const char *path);
void script_close(struct script *s);
/* Tells each failure on stdout; counts. False for a script that is none. */
bool script_run(struct script *s);

/* Reads what is behind the command in line s->at; moves there. */
bool script_load(struct script *s, bool with_custom_histograms, const char *step, char why[200]);
bool script_read_eval(struct script *s, struct evaluated *e, char why[200]);
/* Evaluates and compares. False with the reason in `why`. */
bool script_check(struct script *s, const struct evaluated *e, struct buffer *why);

/* As native histograms with custom buckets: classic ones that were loaded together. */
struct loaded_series {
    struct labels labels;
    struct sequence values, starts;
};
void script_add_custom_histograms(struct script *s, const struct loaded_series *list, size_t count,
                                  int64_t gap_ms);

#endif

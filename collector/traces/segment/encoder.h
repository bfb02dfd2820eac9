// SPDX-License-Identifier: Apache-2.0
/* What the two halves of the encoder share: encoding.c looks at a column and chooses,
 * encoding_put.c makes the bytes of each encoding. */
#ifndef WEFT_COLLECTOR_TRACES_SEGMENT_ENCODER_H
#define WEFT_COLLECTOR_TRACES_SEGMENT_ENCODER_H

#include "collector/traces/segment/encoding.h"

enum { ENCODER_LEVELS = 2 }; /* columns, and columns that are part of one */
enum { ENCODER_DISTINCT_MAX = 16384, ENCODER_BYTE_VALUES = 256 };

/* Of a chunk. */
struct bounds {
    uint64_t min, max;
};

/* What one level needs besides the column that it was given. */
struct level {
    struct bounds *chunks;
    uint64_t *zigzag, *a, *b;
    size_t capacity;
};

/* What one pass over a column tells. */
struct survey {
    size_t count;
    struct bounds *chunks;
    uint64_t min, max;
    size_t packed_bytes, delta_bytes; /* the whole column so encoded */
    size_t runs;
    uint64_t common; /* what sparse leaves out */
};

struct distinct {
    uint64_t value;
    uint32_t count, code;
};

struct encoder {
    struct compressor *compressor;
    struct level levels[ENCODER_LEVELS];
    uint32_t *slots; /* of the dictionary's hash table */
    struct distinct *distinct;
};

/* A column within one, which consists of none itself; with its length before it, or at the end. */
void encoder_put_inner(struct encoder *e, const uint64_t *values, size_t count, struct column *out);

/* Each appends the whole column. False, where it cannot hold these values: nothing was appended,
 * unless out->failed. The last three use the memory of level 0 and are for columns of that. */
void encoder_put_constant(uint64_t value, struct column *out);
void encoder_put_chunks(enum encoding encoding, const struct survey *s, const uint64_t *values,
                        struct column *out);
bool encoder_put_bytes(struct encoder *e, const struct survey *s, const uint64_t *values,
                       struct column *out);
/* `sub`: as in encoding_round. */
bool encoder_put_rounded(struct encoder *e, const struct survey *s, unsigned sub,
                         const uint64_t *values, struct column *out);
void encoder_put_runs(struct encoder *e, const struct survey *s, const uint64_t *values,
                      struct column *out);
void encoder_put_sparse(struct encoder *e, const struct survey *s, const uint64_t *values,
                        struct column *out);
bool encoder_put_dictionary(struct encoder *e, const struct survey *s, const uint64_t *values,
                            struct column *out);

/* Counts distinct values in e->distinct; 0 if there are more than `most`. `code[i]` is then the
 * place of value i there. */
size_t encoder_distinct(struct encoder *e, const uint64_t *values, size_t count, size_t most,
                        uint64_t *code);

#endif

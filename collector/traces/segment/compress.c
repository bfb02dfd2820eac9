// SPDX-License-Identifier: Apache-2.0
/* Each way of compressing has a context of its own, so that nothing is set up per run. What has
 * no repetitions goes through a match finder with a tiny table and long matches: it finds next
 * to nothing, in little time, and what remains is zstd's Huffman coding. */
#include "collector/traces/segment/compress.h"

#include <pthread.h>
#include <stdlib.h>
#include <zstd.h>

enum { WAYS = 3, METHOD_STORED = 0, METHOD_ZSTD = 1, HASH_LOG_LEAST = 6 };

struct compressor {
    ZSTD_CCtx *ways[WAYS];
};

static ZSTD_CCtx *make_way(unsigned way)
{
    static const int level[WAYS] = {1, 1, 3};
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    if (!zstd)
        return NULL;
    size_t error = ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level[way]);
    error |= ZSTD_CCtx_setParameter(zstd, ZSTD_c_contentSizeFlag, 0);
    if (1u << way == COMPRESS_ENTROPY) {
        error |= ZSTD_CCtx_setParameter(zstd, ZSTD_c_strategy, ZSTD_fast);
        error |= ZSTD_CCtx_setParameter(zstd, ZSTD_c_minMatch, 7);
        error |= ZSTD_CCtx_setParameter(zstd, ZSTD_c_hashLog, HASH_LOG_LEAST);
        error |= ZSTD_CCtx_setParameter(zstd, ZSTD_c_targetLength, 64);
    }
    if (ZSTD_isError(error)) {
        ZSTD_freeCCtx(zstd);
        return NULL;
    }
    return zstd;
}

struct compressor *compressor_create(void)
{
    struct compressor *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    for (unsigned i = 0; i < WAYS; i++) {
        c->ways[i] = make_way(i);
        if (!c->ways[i]) {
            compressor_destroy(&c);
            return NULL;
        }
    }
    return c;
}

void compressor_destroy(struct compressor **c)
{
    for (unsigned i = 0; *c && i < WAYS; i++)
        ZSTD_freeCCtx((*c)->ways[i]);
    free(*c);
    *c = NULL;
}

static bool ratio_is_allowed(size_t length, size_t stored)
{
    return length <= COMPRESS_SLACK || (length - COMPRESS_SLACK) / COMPRESS_RATIO_MAX <= stored;
}

/* Appends a run compressed in one way; takes it back if it is not smaller than `least`. Returns
 * the length of the smaller one. */
static size_t try_way(ZSTD_CCtx *zstd, const void *bytes, size_t length, size_t least, size_t begin,
                      struct column *out)
{
    size_t bound = ZSTD_compressBound(length), middle = out->length;
    if (!column_reserve(out, bound + VARINT_MAX_BYTES + 1))
        return least;
    size_t stored =
        ZSTD_compress2(zstd, out->bytes + middle + VARINT_MAX_BYTES + 1, bound, bytes, length);
    if (ZSTD_isError(stored) || stored >= least || !ratio_is_allowed(length, stored))
        return least;
    out->length = begin;
    column_put_fixed(out, METHOD_ZSTD, 1);
    column_put(out, stored);
    memmove(out->bytes + out->length, out->bytes + middle + VARINT_MAX_BYTES + 1, stored);
    out->length += stored;
    return stored;
}

void compressed_put(struct compressor *c, const void *bytes, size_t length, unsigned how,
                    struct column *out)
{
    size_t begin = out->length, least = length;
    for (unsigned i = 0; i < WAYS; i++) {
        if (how & 1u << i && length > 0)
            least = try_way(c->ways[i], bytes, length, least, begin, out);
    }
    if (out->length != begin)
        return;
    column_put_fixed(out, METHOD_STORED, 1);
    column_put(out, length);
    column_put_bytes(out, bytes, length);
}

/* ---- reading ----------------------------------------------------------------------------- */

/* Each thread keeps its context: making one costs more than a small run. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int key_error;

static void free_context(void *zstd)
{
    ZSTD_freeDCtx(zstd);
}

static void make_key(void)
{
    key_error = pthread_key_create(&key, free_context);
}

static ZSTD_DCtx *get_context(void)
{
    pthread_once(&once, make_key);
    if (key_error)
        return NULL;
    ZSTD_DCtx *zstd = pthread_getspecific(key);
    if (zstd)
        return zstd;
    zstd = ZSTD_createDCtx();
    if (zstd && pthread_setspecific(key, zstd) != 0) {
        ZSTD_freeDCtx(zstd);
        return NULL;
    }
    return zstd;
}

bool compressed_is_plausible(const struct column_reader *in, size_t length)
{
    return ratio_is_allowed(length, column_left(in));
}

/* A run's head; its bytes are then in.next - *stored to in.next. */
static bool get_head(struct column_reader *in, uint64_t *method, uint64_t *stored)
{
    *method = column_get_fixed(in, 1);
    *stored = column_get(in);
    if (in->bad || *stored > column_left(in) || *method > METHOD_ZSTD)
        return false;
    in->next += *stored;
    return true;
}

int compressed_skip(struct column_reader *in)
{
    uint64_t method, stored;
    return get_head(in, &method, &stored) ? COMPRESS_OK : COMPRESS_EDAMAGED;
}

int compressed_get(struct column_reader *in, uint8_t *to, size_t length)
{
    uint64_t method, stored;
    if (!get_head(in, &method, &stored))
        return COMPRESS_EDAMAGED;
    const uint8_t *from = in->next - stored;
    if (method == METHOD_STORED) {
        if (stored != length)
            return COMPRESS_EDAMAGED;
        if (length)
            memcpy(to, from, length);
        return COMPRESS_OK;
    }
    ZSTD_DCtx *zstd = get_context();
    if (!zstd)
        return COMPRESS_ENOMEM;
    return ZSTD_decompressDCtx(zstd, to, length, from, stored) == length ? COMPRESS_OK
                                                                         : COMPRESS_EDAMAGED;
}

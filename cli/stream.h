// SPDX-License-Identifier: Apache-2.0
/* Answers of the collector's that come piece by piece. */
#ifndef WEFT_CLI_STREAM_H
#define WEFT_CLI_STREAM_H

#include <stddef.h>

struct stream_reader {
    /* Takes bytes as they come. Anything but 0 ends the stream. */
    int (*bytes)(void *context, const char *data, size_t length);
    void *context;
    const char *accept; /* NULL: whatever */
};

/* GETs `path`; returns when the answer is over. 0; what `bytes` returned; -1 and a sentence: the
 * connection broke (it may be tried again); -2 and a sentence: the collector refused. */
int stream_get(const char *path, const struct stream_reader *reader, char *why, size_t why_size);

#endif

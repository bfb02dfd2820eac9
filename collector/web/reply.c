// SPDX-License-Identifier: Apache-2.0
#include "collector/web/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/json_writer.h"

void reply_fini(struct reply *r)
{
    buffer_fini(&r->body);
    if (r->stream.close)
        r->stream.close(r->stream.context);
    if (r->file >= 0)
        close(r->file);
    *r = REPLY_EMPTY;
}

void reply_error(struct reply *r, unsigned status, const char *format, ...)
{
    char sentence[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    reply_fini(r);
    r->status = status;
    struct json_writer w = json_writer_to(&r->body);
    json_open_object(&w);
    json_field_text(&w, "error", sentence);
    json_close_object(&w);
    buffer_byte(&r->body, '\n');
}

void reply_no_memory(struct reply *r)
{
    reply_error(r, 503, "the collector is out of memory; ask again, or for less");
}

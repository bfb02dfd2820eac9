// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/redis.h"

#include <string.h>

static const char *command_name(uint16_t command)
{
    return redis_command_at(command)->name;
}

/* "*2\r\n$3\r\n": an array of one digit, whose first string has one or two. An inline command is no
 * proof, as a value may hold anything. */
static bool may_begin(const uint8_t *bytes, size_t length)
{
    size_t at = 1;
    if (length < 8 || bytes[0] != '*')
        return false;
    while (at < length && at < 8 && bytes[at] >= '0' && bytes[at] <= '9')
        at++;
    return at > 1 && length - at > 3 && bytes[at] == '\r' && bytes[at + 1] == '\n' &&
           bytes[at + 2] == '$' && bytes[at + 3] >= '1' && bytes[at + 3] <= '9';
}

static bool reply_may_begin(const uint8_t *bytes, size_t length)
{
    return length > 0 && bytes[0] != 0 && strchr("+-:$*_,#!=(%~>|", bytes[0]) != NULL;
}

const struct tap_protocol tap_redis = {
    .name = "redis",
    .command_count = redis_command_count,
    .command_name = command_name,
    .request_bytes = sizeof(struct redis_request),
    .reply_bytes = sizeof(struct redis_reply),
    .request = redis_read_request,
    .reply = redis_read_reply,
    .request_passing = redis_request_passing,
    .reply_passing = redis_reply_passing,
    .request_pass = redis_request_pass,
    .reply_pass = redis_reply_pass,
    .served_at_once = UINT32_MAX, /* all of what it read, 16 KiB */
    .may_begin = may_begin,
    .reply_may_begin = reply_may_begin,
};

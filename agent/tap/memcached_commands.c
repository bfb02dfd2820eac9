// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/memcached.h"

#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static const struct memcached_command table[] = {
    {.name = "other"},
    {.name = "get", .key_at = 1, .many_keys = true, .answer = MEMCACHED_VALUES, .looks_up = true},
    {.name = "gets", .key_at = 1, .many_keys = true, .answer = MEMCACHED_VALUES, .looks_up = true},
    {.name = "gat", .key_at = 2, .many_keys = true, .answer = MEMCACHED_VALUES, .looks_up = true},
    {.name = "gats", .key_at = 2, .many_keys = true, .answer = MEMCACHED_VALUES, .looks_up = true},
    {.name = "set", .knows_noreply = true, .key_at = 1, .length_at = 4},
    {.name = "add", .knows_noreply = true, .key_at = 1, .length_at = 4},
    {.name = "replace", .knows_noreply = true, .key_at = 1, .length_at = 4},
    {.name = "append", .knows_noreply = true, .key_at = 1, .length_at = 4},
    {.name = "prepend", .knows_noreply = true, .key_at = 1, .length_at = 4},
    {.name = "cas", .knows_noreply = true, .key_at = 1, .length_at = 4, .looks_up = true},
    {.name = "delete", .knows_noreply = true, .key_at = 1, .looks_up = true},
    {.name = "incr", .knows_noreply = true, .key_at = 1, .looks_up = true},
    {.name = "decr", .knows_noreply = true, .key_at = 1, .looks_up = true},
    {.name = "touch", .knows_noreply = true, .key_at = 1, .looks_up = true},
    {.name = "mg", .key_at = 1, .answer = MEMCACHED_META_GET, .looks_up = true},
    {.name = "ms", .key_at = 1, .length_at = 2, .answer = MEMCACHED_META_SET},
    {.name = "md", .key_at = 1, .answer = MEMCACHED_META_DELETE, .looks_up = true},
    {.name = "ma", .key_at = 1, .answer = MEMCACHED_META_ARITHMETIC, .looks_up = true},
    {.name = "me", .key_at = 1, .answer = MEMCACHED_META_DEBUG, .looks_up = true},
    {.name = "mn", .answer = MEMCACHED_META_NOOP},
    {.name = "stats", .answer = MEMCACHED_STATS},
    {.name = "version"},
    {.name = "verbosity", .knows_noreply = true},
    {.name = "flush_all", .knows_noreply = true},
    {.name = "cache_memlimit", .knows_noreply = true},
    {.name = "slabs", .knows_noreply = true},
    {.name = "lru", .knows_noreply = true},
    {.name = "lru_crawler",
     .answer = MEMCACHED_EVERYTHING}, /* its dumps are as long as the cache */
    {.name = "extstore"},
    {.name = "watch", .answer = MEMCACHED_EVERYTHING},
    {.name = "quit", .answer = MEMCACHED_NOTHING},
    {.name = "shutdown", .answer = MEMCACHED_NOTHING},
    {.name = "noop"}, /* these of the binary protocol alone */
    {.name = "sasl"},
};
enum { COMMANDS = sizeof table / sizeof table[0] };

static const struct memcached_opcode opcodes[] = {
    [0x00] = {.name = "get", .looks_up = true},
    [0x01] = {.name = "set"},
    [0x02] = {.name = "add"},
    [0x03] = {.name = "replace"},
    [0x04] = {.name = "delete", .looks_up = true},
    [0x05] = {.name = "incr", .looks_up = true},
    [0x06] = {.name = "decr", .looks_up = true},
    [0x07] = {.name = "quit"},
    [0x08] = {.name = "flush_all"},
    [0x09] = {.name = "get", .quiet = true, .looks_up = true},
    [0x0a] = {.name = "noop"},
    [0x0b] = {.name = "version"},
    [0x0c] = {.name = "get", .looks_up = true},
    [0x0d] = {.name = "get", .quiet = true, .looks_up = true},
    [0x0e] = {.name = "append"},
    [0x0f] = {.name = "prepend"},
    [0x10] = {.name = "stats", .stats = true},
    [0x11] = {.name = "set", .quiet = true},
    [0x12] = {.name = "add", .quiet = true},
    [0x13] = {.name = "replace", .quiet = true},
    [0x14] = {.name = "delete", .quiet = true, .looks_up = true},
    [0x15] = {.name = "incr", .quiet = true, .looks_up = true},
    [0x16] = {.name = "decr", .quiet = true, .looks_up = true},
    [0x17] = {.name = "quit", .quiet = true},
    [0x18] = {.name = "flush_all", .quiet = true},
    [0x19] = {.name = "append", .quiet = true},
    [0x1a] = {.name = "prepend", .quiet = true},
    [0x1b] = {.name = "verbosity"},
    [0x1c] = {.name = "touch", .looks_up = true},
    [0x1d] = {.name = "gat", .looks_up = true},
    [0x1e] = {.name = "gat", .quiet = true, .looks_up = true},
    [0x20] = {.name = "sasl"},
    [0x21] = {.name = "sasl"},
    [0x22] = {.name = "sasl"},
    [0x23] = {.name = "gat", .looks_up = true},
    [0x24] = {.name = "gat", .quiet = true, .looks_up = true},
};

uint16_t memcached_command_find(const char *name, size_t length)
{
    for (uint16_t i = 1; i < COMMANDS; i++)
        if (strlen(table[i].name) == length && memcmp(table[i].name, name, length) == 0)
            return i;
    return 0;
}

const struct memcached_command *memcached_command_at(uint16_t command)
{
    return &table[command < COMMANDS ? command : 0];
}

uint16_t memcached_command_count(void)
{
    return COMMANDS;
}

const struct memcached_opcode *memcached_opcode_at(uint8_t opcode)
{
    if (opcode >= sizeof opcodes / sizeof opcodes[0] || !opcodes[opcode].name)
        return NULL;
    return &opcodes[opcode];
}

uint64_t memcached_tag(char kind, const void *bytes, size_t length)
{
    return XXH3_64bits_withSeed(bytes, length, (uint64_t)(unsigned char)kind);
}

struct memcached_binary_header memcached_header_of(const uint8_t bytes[MEMCACHED_HEADER])
{
    return (struct memcached_binary_header){
        .opcode = bytes[1],
        .extras = bytes[4],
        .key = (uint16_t)(bytes[2] << 8 | bytes[3]),
        .status = (uint16_t)(bytes[6] << 8 | bytes[7]),
        .body = (uint32_t)bytes[8] << 24 | (uint32_t)bytes[9] << 16 | (uint32_t)bytes[10] << 8 |
                bytes[11],
        .opaque = (uint32_t)bytes[12] << 24 | (uint32_t)bytes[13] << 16 | (uint32_t)bytes[14] << 8 |
                  bytes[15],
    };
}

static const char *command_name(uint16_t command)
{
    return memcached_command_at(command)->name;
}

/* ---- the protocol ------------------------------------------------------------------------- */

static bool begins_with(const uint8_t *bytes, size_t length, const char *word)
{
    size_t n = strlen(word);
    return length > n && memcmp(bytes, word, n) == 0 &&
           (bytes[n] == ' ' || bytes[n] == '\r' || bytes[n] == '\n');
}

/* A command's name with a blank behind it; or a binary header whose lengths agree. */
static bool may_begin(const uint8_t *bytes, size_t length)
{
    if (length >= MEMCACHED_HEADER && bytes[0] == MEMCACHED_REQUEST_MAGIC) {
        struct memcached_binary_header h = memcached_header_of(bytes);
        return memcached_opcode_at(h.opcode) && h.key <= MEMCACHED_KEY_MOST && bytes[5] == 0 &&
               h.body >= (uint32_t)h.key + h.extras && h.extras <= 20;
    }
    for (uint16_t i = 1; i < COMMANDS; i++)
        if (begins_with(bytes, length, table[i].name))
            return true;
    return false;
}

static bool reply_may_begin(const uint8_t *bytes, size_t length)
{
    return length > 0 &&
           (bytes[0] == MEMCACHED_REPLY_MAGIC || (bytes[0] >= 'A' && bytes[0] <= 'Z') ||
            (bytes[0] >= '0' && bytes[0] <= '9'));
}

const struct tap_protocol tap_memcached = {
    .name = "memcached",
    .command_count = memcached_command_count,
    .command_name = command_name,
    .request_bytes = sizeof(struct memcached_request),
    .reply_bytes = sizeof(struct memcached_reply),
    .request = memcached_read_request,
    .reply = memcached_read_reply,
    .request_passing = memcached_request_passing,
    .reply_passing = memcached_reply_passing,
    .request_pass = memcached_request_pass,
    .reply_pass = memcached_reply_pass,
    .served_at_once = 16, /* 20 unless -R says otherwise */
    .may_begin = may_begin,
    .reply_may_begin = reply_may_begin,
};

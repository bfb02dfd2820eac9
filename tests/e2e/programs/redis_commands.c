// SPDX-License-Identifier: Apache-2.0
/* Prints what the tap knows of Redis' commands, as JSON. */
#include "agent/tap/redis_commands.h"

#include <stdio.h>

int main(void)
{
    for (uint16_t i = 1; i < redis_command_count(); i++) {
        const struct redis_command *c = redis_command_at(i);
        printf("%s{\"name\":\"%s\",\"first\":%d,\"last\":%d,\"step\":%d,\"countAt\":%d,"
               "\"streams\":%s}",
               i == 1 ? "[" : ",\n", c->name, c->first_key, c->last_key, c->key_step,
               c->key_count_at, c->keys_behind_streams ? "true" : "false");
    }
    return puts("]") < 0;
}

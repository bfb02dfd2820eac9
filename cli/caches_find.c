// SPDX-License-Identifier: Apache-2.0
#include "cli/caches_find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/api.h"

static long long find_address(const char *address, char *why, size_t why_size)
{
    size_t i;
    json_t *cache;
    long long id = 0;
    int found = 0;
    json_t *answer = api_get(NULL, "/api/v1/caches?range=1h", why, why_size);
    if (!answer)
        return 0;
    json_array_foreach(json_object_get(answer, "caches"), i, cache)
    {
        if (strcmp(api_text(cache, "address"), address) != 0)
            continue;
        id = api_number(cache, "id");
        found++;
    }
    json_decref(answer);
    if (found == 1)
        return id;
    snprintf(why, why_size,
             found ? "there are several caches at %.100s: say which by its number"
                   : "there is no cache %.100s: see weft caches",
             address);
    return 0;
}

long long caches_find(const char *cache, char *why, size_t why_size)
{
    char *end;
    long long id = strtoll(cache, &end, 10);
    return end != cache && !*end && id > 0 ? id : find_address(cache, why, why_size);
}

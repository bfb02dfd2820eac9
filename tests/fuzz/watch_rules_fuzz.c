// SPDX-License-Identifier: Apache-2.0
/* Any bytes as rules for processes: they are read, and match or not, or there is a sentence that
 * begins with the file. */
#include <stdlib.h>
#include <string.h>

#include "agent/watch/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t port = 6379;
    char why[512] = "";
    struct watch_rules r;
    if (watch_rules_read(&r, "FILE", (const char *)data, size, why, sizeof why) != 0) {
        if (strncmp(why, "FILE:", 5) != 0)
            abort();
        return 0;
    }
    int rule = watch_rules_match(
        &r, &(struct watch_subject){"/usr/bin/redis-server", "redis", "a.service", &port, 1});
    if (rule >= (int)r.count || (rule >= 0 && !r.list[rule].service))
        abort();
    watch_rules_fini(&r);
    return 0;
}

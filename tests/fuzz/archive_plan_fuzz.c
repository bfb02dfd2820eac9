// SPDX-License-Identifier: Apache-2.0
/* Any bytes as the archive's rules: they are read, or there is a sentence that begins with the
 * file. */
#include <stdlib.h>
#include <string.h>

#include "collector/archive/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[512] = "";
    struct archive_plan *plan =
        archive_plan_read("f.yml", (const char *)data, size, why, sizeof why);
    if (!plan && strncmp(why, "f.yml:", 6) != 0)
        abort();
    archive_plan_destroy(&plan);
    return 0;
}

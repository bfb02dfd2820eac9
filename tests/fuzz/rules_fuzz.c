// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a file of rules: it is read, or there is a sentence that begins with the file. */
#include <stdlib.h>
#include <string.h>

#include "collector/rules/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expand_all(const struct rule *r)
{
    struct buffer out = {0};
    for (uint32_t i = 0; i < r->annotation_count; i++)
        template_expand(r->annotations[i].template, &(struct labels){0}, 1234.5, &out);
    buffer_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[512] = "";
    struct rule_set *set = rule_set_create();
    if (!set)
        return 0;
    if (rule_set_read(set, "f.yml", (const char *)data, size, why, sizeof why) != 0) {
        if (strncmp(why, "f.yml:", 6) != 0)
            abort();
    } else {
        for (uint32_t g = 0; g < set->group_count; g++)
            for (uint32_t i = 0; i < set->groups[g].rule_count; i++)
                expand_all(&set->groups[g].rules[i]);
    }
    rule_set_destroy(&set);
    return 0;
}

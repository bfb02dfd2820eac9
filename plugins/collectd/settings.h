// SPDX-License-Identifier: Apache-2.0
/* The block <Plugin weft> of collectd.conf; docs/collectd.md says what each option does. */
#ifndef WEFT_PLUGINS_COLLECTD_SETTINGS_H
#define WEFT_PLUGINS_COLLECTD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liboconfig/oconfig.h"

struct settings {
    char socket[108]; /* as long as a socket's path may be */
    uint32_t queue_length;
    int64_t timeout_ms;
    bool summaries;
};

void settings_init(struct settings *s);
/* What the block says, over what is there. 0; -1 with a sentence in `why`, and `s` stays as it was.
 */
int settings_read(struct settings *s, const oconfig_item_t *block, char *why, size_t why_size);

#endif

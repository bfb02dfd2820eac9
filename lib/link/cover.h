// SPDX-License-Identifier: Apache-2.0
/* The first bytes of the body of everything that an agent sends but hellos: what is known only
 * when it is sent. Internal to lib/link.
 *
 *     0  sent, unix nanoseconds u64      16  oldest number u64
 *     8  oldest epoch u64                24  control counter u64
 */
#ifndef WEFT_LINK_COVER_H
#define WEFT_LINK_COVER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/link/link.h"

enum { LINK_COVER_BYTES = 32 };

struct link_cover {
    uint64_t sent_unix_ns;
    struct link_sequence oldest; /* of a batch; else zeros */
    uint64_t control_counter;    /* of the switches that the agent knows */
};

void link_cover_write(uint8_t bytes[LINK_COVER_BYTES], const struct link_cover *cover);
void link_cover_read(const uint8_t bytes[LINK_COVER_BYTES], struct link_cover *cover);

#endif

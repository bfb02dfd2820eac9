// SPDX-License-Identifier: Apache-2.0
#include "lib/link/cover.h"

#include <endian.h>
#include <string.h>

void link_cover_write(uint8_t bytes[LINK_COVER_BYTES], const struct link_cover *cover)
{
    uint64_t fields[] = {htole64(cover->sent_unix_ns), htole64(cover->oldest.epoch),
                         htole64(cover->oldest.number), htole64(cover->control_counter)};
    _Static_assert(sizeof fields == LINK_COVER_BYTES, "four numbers");
    memcpy(bytes, fields, sizeof fields);
}

void link_cover_read(const uint8_t bytes[LINK_COVER_BYTES], struct link_cover *cover)
{
    uint64_t fields[4];
    memcpy(fields, bytes, sizeof fields);
    *cover = (struct link_cover){.sent_unix_ns = le64toh(fields[0]),
                                 .oldest = {le64toh(fields[1]), le64toh(fields[2])},
                                 .control_counter = le64toh(fields[3])};
}

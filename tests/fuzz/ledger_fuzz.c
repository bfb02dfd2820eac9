// SPDX-License-Identifier: Apache-2.0
/* What stands in the ledger, read from any bytes: frames and states. What is understood must
 * read the same when it is written again. */
#include <stdlib.h>

#include "collector/accept/dedupe.h"
#include "collector/ledger/frame.h"
#include "collector/losses.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_frame(const uint8_t *data, size_t size)
{
    struct frame f, again;
    unsigned char header[FRAME_HEADER_BYTES + LINK_AGENT_ID_MAX];
    if (frame_parse(data, size, &f) != 0)
        return;
    size_t length = frame_header(&f, header);
    if (length + f.length != size || frame_parse(header, length, &again) != 0 ||
        again.sequence.number != f.sequence.number || strcmp(again.agent, f.agent) != 0)
        abort();
}

static void fuzz_state(const uint8_t *data, size_t size)
{
    struct ledger_state state;
    if (ledger_state_parse(data, size, &state) != 0)
        return;
    struct dedupe *dedupe = dedupe_create(), *again = dedupe_create();
    struct losses *losses = losses_create();
    if (dedupe_read(dedupe, &state.rest) == 0) {
        struct buffer written = {0};
        dedupe_write(dedupe, &written);
        struct bytes_reader in = bytes_reader_of(written.data, written.length);
        if (dedupe_read(again, &in) != 0 || bytes_left(&in) != 0)
            abort();
        buffer_fini(&written);
        losses_read(losses, &state.rest);
    }
    dedupe_destroy(&dedupe);
    dedupe_destroy(&again);
    losses_destroy(&losses);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] & 1)
        fuzz_frame(data + 1, size - 1);
    else
        fuzz_state(data + 1, size - 1);
    return 0;
}

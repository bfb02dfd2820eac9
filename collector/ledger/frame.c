// SPDX-License-Identifier: Apache-2.0
#include "collector/ledger/frame.h"

#define STATE_MAGIC UINT32_C(0x534c4657) /* "WFLS" */

size_t frame_header(const struct frame *f,
                    unsigned char out[FRAME_HEADER_BYTES + LINK_AGENT_ID_MAX])
{
    size_t agent = strlen(f->agent);
    uint16_t agent_length = htole16((uint16_t)agent);
    uint32_t spans = htole32(f->spans);
    uint64_t numbers[3] = {htole64(f->sequence.epoch), htole64(f->sequence.number),
                           htole64(f->accepted_unix_ns)};
    out[0] = (unsigned char)f->kind;
    out[1] = FRAME_VERSION;
    memcpy(out + 2, &agent_length, sizeof agent_length);
    memcpy(out + 4, &spans, sizeof spans);
    memcpy(out + 8, numbers, sizeof numbers);
    memcpy(out + FRAME_HEADER_BYTES, f->agent, agent);
    return FRAME_HEADER_BYTES + agent;
}

int frame_parse(const void *bytes, size_t length, struct frame *f)
{
    struct bytes_reader in = bytes_reader_of(bytes, length);
    const unsigned char *head = bytes_take(&in, 2);
    if (!head || head[1] != FRAME_VERSION || head[0] < FRAME_BATCH || head[0] > FRAME_REMOTE_WRITE)
        return -1;
    *f = (struct frame){.kind = (enum frame_kind)head[0]};
    uint16_t agent_length = bytes_get_u16(&in);
    f->spans = bytes_get_u32(&in);
    f->sequence.epoch = bytes_get_u64(&in);
    f->sequence.number = bytes_get_u64(&in);
    f->accepted_unix_ns = bytes_get_u64(&in);
    const void *agent = bytes_take(&in, agent_length);
    if (in.failed || agent_length > LINK_AGENT_ID_MAX || memchr(agent, 0, agent_length))
        return -1;
    memcpy(f->agent, agent, agent_length);
    f->body = in.at;
    f->length = bytes_left(&in);
    return 0;
}

void ledger_state_head(struct buffer *out, uint64_t now_unix_ns, const struct ledger_totals *t)
{
    bytes_put_u32(out, STATE_MAGIC);
    bytes_put_u32(out, LEDGER_STATE_VERSION);
    bytes_put_u64(out, now_unix_ns);
    bytes_put_u64(out, t->begun_unix_ns);
    bytes_put_u64(out, t->batches);
    bytes_put_u64(out, t->spans);
    bytes_put_u64(out, t->bytes);
}

int ledger_state_parse(const void *bytes, size_t length, struct ledger_state *state)
{
    struct bytes_reader in = bytes_reader_of(bytes, length);
    if (bytes_get_u32(&in) != STATE_MAGIC || bytes_get_u32(&in) != LEDGER_STATE_VERSION)
        return -1;
    state->written_unix_ns = bytes_get_u64(&in);
    state->totals.begun_unix_ns = bytes_get_u64(&in);
    state->totals.batches = bytes_get_u64(&in);
    state->totals.spans = bytes_get_u64(&in);
    state->totals.bytes = bytes_get_u64(&in);
    state->rest = in;
    return in.failed ? -1 : 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "lib/model/loss.h"

#include <stddef.h>

struct reason {
    const char *name, *place, *explanation;
};

static const struct reason reasons[LOSS_REASONS] = {
    [LOSS_NO_SLOT] = {"no_slot", "service",
                      "a thread had more spans open at once than it has slots for"},
    [LOSS_RING_FULL] = {"ring_full", "service",
                        "the thread's ring was full: the agent was stopped or too slow"},
    [LOSS_NO_THREAD_SLAB] = {"no_thread_slab", "service",
                             "more threads recorded than the process file has room for"},
    [LOSS_NO_MEMORY] = {"no_memory", "service",
                        "the directory for process files was full when a thread began to record"},
    [LOSS_NO_FILE] = {"no_file", "service",
                      "the process file could not be made: its directory is missing or not "
                      "writable"},
    [LOSS_ATTRIBUTE_NO_ROOM] = {"attribute_no_room", "service",
                                "a span had more attributes, events and links than its slot "
                                "holds"},
    [LOSS_NAMES_FULL] = {"names_full", "service",
                         "the process uses more different names than its name table holds"},
    [LOSS_STALE_HANDLE] = {"stale_handle", "service",
                           "the service changed a span that had already ended"},
    [LOSS_STATS_NO_ROOM] = {"stats_no_room", "service",
                            "the process counts more instruments, or on more threads, than its "
                            "file has room for"},
    [LOSS_BAD_RECORD] = {"bad_record", "agent", "a ring or a slot held bytes that are no span"},
    [LOSS_BAD_FILE] = {"bad_file", "agent",
                       "a process file was not one, or was shrunk while it was read"},
    [LOSS_SPOOL_FULL] = {"spool_full", "spool",
                         "the spool reached its limit while the collector was away or too slow, "
                         "and its oldest batches made room"},
    [LOSS_SPOOL_TORN] = {"spool_torn", "spool", "a batch in the spool was damaged on disk"},
    [LOSS_REFUSED] = {"refused", "link", "the collector refused a batch for good"},
    [LOSS_BAD_BATCH] = {"bad_batch", "collector", "a batch was authentic but could not be decoded"},
    [LOSS_LEDGER_DAMAGED] = {"ledger_damaged", "collector",
                             "bytes of the ledger were damaged on "
                             "disk"},
    [LOSS_LEDGER_AGED] = {"ledger_aged", "collector",
                          "the ledger's limit of bytes or age made room for newer spans"},
    [LOSS_HEAD_EVICTED] = {"head_evicted", "collector",
                           "newer spans pushed older ones out of memory; the ledger still has "
                           "them"},
    [LOSS_SEGMENT_AGED] = {"segment_aged", "collector",
                           "the limit of bytes or age of the kept traces made room for newer ones"},
    [LOSS_SEGMENT_DAMAGED] = {"segment_damaged", "collector",
                              "a segment was damaged on disk and set aside: see the log"},
    [LOSS_NOT_INDEXED] = {"not_indexed", "collector",
                          "the collector was out of memory when they came; they are in its "
                          "ledger and visible after a restart"},
};

static const struct reason *find(unsigned reason)
{
    return reason < LOSS_REASONS && reasons[reason].name ? &reasons[reason] : NULL;
}

const char *loss_reason_name(unsigned reason)
{
    const struct reason *r = find(reason);
    return r ? r->name : "?";
}

const char *loss_reason_place(unsigned reason)
{
    const struct reason *r = find(reason);
    return r ? r->place : "?";
}

const char *loss_reason_explanation(unsigned reason)
{
    const struct reason *r = find(reason);
    return r ? r->explanation : "lost for a reason that this version does not know";
}

// SPDX-License-Identifier: Apache-2.0
/* The collector's end of the link.
 *
 * One thread calls link_server_receive in a loop; any thread may answer. A request is opened
 * (seal, version, replay of hellos and reports) before the caller sees it; what does not open
 * is answered and counted here. Deduplicating batches is the caller's (collector/accept).
 */
#ifndef WEFT_LINK_SERVER_H
#define WEFT_LINK_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/link/link.h"

struct link_server;

struct link_server_options {
    const char *address;         /* "tcp://127.0.0.1:4042"; port 0 is not possible in nanomsg */
    const char *control_address; /* "tcp://127.0.0.1:4043" */
    const char *keys_directory;  /* AGENT.key files, re-read when one is asked for and changed;
                                  * NULL: open, loopback only (an error otherwise) */
};

struct link_server_stats {
    uint64_t received, bad_envelope, bad_key, unknown_agent, too_old, replayed;
};

struct link_request {
    enum link_type type; /* LINK_BATCH, LINK_INFLIGHT, LINK_REPORT, LINK_WATCH: hellos are answered
                          * within */
    char agent[LINK_AGENT_ID_MAX + 1];
    struct link_sequence sequence; /* LINK_BATCH */
    struct link_sequence oldest;   /* LINK_BATCH: the oldest the agent still holds; all before
                                    * it are acknowledged or lost for good (and counted) */
    uint64_t sent_unix_ns;         /* the agent's clock when it sent this (not: spooled it) */
    const void *body;              /* opened */
    size_t length;
    void *ticket; /* for link_server_answer; owned by the server */
    void *memory; /* what `body` lies in; the server's */
};

/* NULL and a sentence in `why` when it cannot listen (address in use, not loopback …). */
struct link_server *link_server_create(const struct link_server_options *options, char *why,
                                       size_t why_size);
/* Makes a blocked receive return 0 soon; then no more answers are sent. Any thread. */
void link_server_stop(struct link_server *s);
void link_server_destroy(struct link_server **s);

/* Waits up to timeout_ms. 1: *request is filled; the caller owns it until link_request_release
 * (any thread). 0: nothing came. */
int link_server_receive(struct link_server *s, struct link_request *request, int timeout_ms);
/* Answers a batch or a watch and forgets the ticket (inflights and reports are answered within, for
 * them this does nothing). Never blocks; the answer is lost if the peer is gone (the agent then
 * sends again). The body stays valid. Any thread. */
void link_server_answer(struct link_server *s, struct link_request *request,
                        enum link_verdict verdict, const char *text);
/* Answers a watch, with a message weft.Inquiries; as above. */
void link_server_answer_watch(struct link_server *s, struct link_request *request,
                              const void *inquiries, size_t length);
/* Frees the body and, if it was never answered, the ticket. */
void link_request_release(struct link_request *request);

/* Tells every connected agent: recording of `service` ("*": all) on or off. Signed by the
 * control key that each agent got, sealed, with the answer to its hello. */
int link_server_publish_recording(struct link_server *s, const char *service, bool on);

/* Whether it is on, as published since this server was created. */
bool link_server_recording(struct link_server *s, const char *service);

void link_server_stats(const struct link_server *s, struct link_server_stats *out);

#endif

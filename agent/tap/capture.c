// SPDX-License-Identifier: Apache-2.0
#include "agent/tap/capture.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"

enum {
    INTERFACES_MOST = 64,
    SNAP_BYTES = 65535 + 64, /* what offloading puts into one packet, with its headers */
    WAKE_MS = 10,            /* how long the kernel gathers packets before it wakes us */
    AT_ONCE = 4096           /* packets of one interface, before the next has its turn */
};
/* A block that is not full is handed over when WAKE_MS have passed, as the kernel's timers count
 * them, and when the processor that fills it gets to it. */
#define GATHERED_NS UINT64_C(50000000)

struct source {
    pcap_t *pcap;
    int link_type;
    char name[64];
    uint64_t last_ns, seen_ns;
    uint32_t dropped, missed; /* as libpcap said last: its counters go round */
};

struct tap_capture {
    struct source sources[INTERFACES_MOST];
    struct pollfd polls[INTERFACES_MOST];
    size_t count;
    bool is_file;
    struct tap_capture_stats stats;
};

struct reading {
    struct tap_capture *capture;
    struct source *source;
    tap_take_segment *take;
    void *context;
};

/* ---- opening ------------------------------------------------------------------------------ */

/* "tcp and (port 6379 or port 11211)", with up to two VLAN tags. What stands behind a `vlan` is
 * looked for behind one tag more. NULL: no memory. */
static char *filter_of(const uint16_t *ports, size_t count, bool tagged)
{
    enum { A_PORT = 16 };
    size_t size = 128 + 3 * count * A_PORT;
    char *list = malloc(count * A_PORT + 1), *filter = malloc(size);
    if (list && filter) {
        size_t at = 0;
        list[0] = '\0';
        for (size_t i = 0; i < count; i++)
            at += (size_t)snprintf(list + at, A_PORT + 1, "%sport %u", i ? " or " : "", ports[i]);
        if (tagged)
            snprintf(filter, size,
                     "(tcp and (%s)) or (vlan and ((tcp and (%s)) or (vlan and tcp and (%s))))",
                     list, list, list);
        else
            snprintf(filter, size, "tcp and (%s)", list);
    } else {
        free(filter);
        filter = NULL;
    }
    free(list);
    return filter;
}

static int set_filter(pcap_t *pcap, const uint16_t *ports, size_t count)
{
    struct bpf_program program;
    char *filter = filter_of(ports, count, pcap_datalink(pcap) == DLT_EN10MB);
    int result = filter ? pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) : -1;
    if (result == 0) {
        result = pcap_setfilter(pcap, &program);
        pcap_freecode(&program);
    }
    free(filter);
    return result;
}

static int say(char *why, size_t why_size, const char *name, const char *what, pcap_t *pcap)
{
    snprintf(why, why_size, "tap: %s: %s: %s", name, what, pcap_geterr(pcap));
    return -1;
}

static int activate(struct source *s, const struct tap_capture_options *o, char *why,
                    size_t why_size)
{
    pcap_t *p = s->pcap;
    char unused[PCAP_ERRBUF_SIZE];
    if (pcap_set_snaplen(p, SNAP_BYTES) != 0 || pcap_set_timeout(p, WAKE_MS) != 0 ||
        pcap_set_buffer_size(p, (int)o->buffer_bytes) != 0)
        return say(why, why_size, s->name, "cannot be set up", p);
    (void)pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
    int result = pcap_activate(p);
    if (result == PCAP_ERROR_PERM_DENIED)
        return snprintf(why, why_size,
                        "tap: %s: capturing needs CAP_NET_RAW: start it as root, or by its unit",
                        s->name),
               -1;
    if (result == PCAP_ERROR_NO_SUCH_DEVICE)
        return snprintf(why, why_size, "tap: there is no interface %s: `ip link` lists them",
                        s->name),
               -1;
    if (result < 0)
        return say(why, why_size, s->name, "cannot be captured from", p);
    if (pcap_setnonblock(p, 1, unused) != 0)
        return say(why, why_size, s->name, "cannot be read without blocking", p);
    return 0;
}

static int prepare(struct source *s, const uint16_t *ports, size_t count, char *why,
                   size_t why_size)
{
    s->link_type = pcap_datalink(s->pcap);
    if (!tap_packet_knows(s->link_type))
        return snprintf(why, why_size, "tap: %s: its packets are of a kind that is not known (%s)",
                        s->name, pcap_datalink_val_to_name(s->link_type)),
               -1;
    if (set_filter(s->pcap, ports, count) != 0)
        return say(why, why_size, s->name, "its filter is refused", s->pcap);
    return 0;
}

static int add_interface(struct tap_capture *c, const char *name,
                         const struct tap_capture_options *o, char *why, size_t why_size)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    struct source *s = &c->sources[c->count];
    snprintf(s->name, sizeof s->name, "%s", name);
    s->pcap = pcap_create(name, error);
    if (!s->pcap)
        return snprintf(why, why_size, "tap: %s: %s", name, error), -1;
    c->count++;
    if (activate(s, o, why, why_size) != 0 ||
        prepare(s, o->ports, o->port_count, why, why_size) != 0)
        return -1;
    c->polls[c->count - 1] =
        (struct pollfd){.fd = pcap_get_selectable_fd(s->pcap), .events = POLLIN};
    return 0;
}

struct tap_capture *tap_capture_open(const struct tap_capture_options *options, char *why,
                                     size_t why_size)
{
    struct tap_capture *c = calloc(1, sizeof *c);
    if (!c || options->interface_count > INTERFACES_MOST) {
        snprintf(why, why_size, c ? "tap: more than 64 interfaces" : "no memory");
        free(c);
        return NULL;
    }
    for (size_t i = 0; i < options->interface_count && c; i++)
        if (add_interface(c, options->interfaces[i], options, why, why_size) != 0)
            tap_capture_close(&c);
    return c;
}

struct tap_capture *tap_capture_open_file(const char *path, const uint16_t *ports,
                                          size_t port_count, char *why, size_t why_size)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    struct tap_capture *c = calloc(1, sizeof *c);
    if (!c)
        return snprintf(why, why_size, "no memory"), NULL;
    c->is_file = true;
    c->sources[0].pcap =
        pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, error);
    snprintf(c->sources[0].name, sizeof c->sources[0].name, "%s", path);
    if (!c->sources[0].pcap) {
        snprintf(why, why_size, "tap: %s", error);
        free(c);
        return NULL;
    }
    c->count = 1;
    if (prepare(&c->sources[0], ports, port_count, why, why_size) != 0)
        tap_capture_close(&c);
    return c;
}

void tap_capture_close(struct tap_capture **place)
{
    struct tap_capture *c = *place;
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++)
        pcap_close(c->sources[i].pcap);
    free(c);
    *place = NULL;
}

/* ---- reading ------------------------------------------------------------------------------ */

static void on_packet(u_char *context, const struct pcap_pkthdr *head, const u_char *bytes)
{
    struct reading *r = (struct reading *)(void *)context;
    struct tap_segment segment;
    enum tap_packet kind =
        tap_packet_read(r->source->link_type, bytes, head->caplen, head->len, &segment);
    r->capture->stats.by_kind[kind]++;
    r->capture->stats.packets++;
    /* With the precision of nanoseconds tv_usec holds these. */
    r->source->last_ns =
        (uint64_t)head->ts.tv_sec * UINT64_C(1000000000) + (uint64_t)head->ts.tv_usec;
    if (kind == TAP_PACKET_SEGMENT)
        r->take(r->context, &segment, r->source->last_ns);
}

/* `until_ns`: there was nothing more to be read then. 0: there may be more. */
static void note_seen(struct source *s, uint64_t until_ns)
{
    uint64_t reached_ns = until_ns ? until_ns : s->last_ns;
    s->seen_ns = reached_ns > GATHERED_NS ? reached_ns - GATHERED_NS : 0;
}

int tap_capture_read(struct tap_capture *c, int timeout_ms, tap_take_segment *take, void *context,
                     char *why, size_t why_size)
{
    int total = 0;
    const uint64_t polled_ns = clock_unix_ns();
    if (!c->is_file && poll(c->polls, c->count, timeout_ms) < 0 && errno != EINTR)
        return snprintf(why, why_size, "tap: poll: %s", strerror(errno)), -1;
    for (size_t i = 0; i < c->count; i++) {
        struct source *s = &c->sources[i];
        struct reading r = {c, s, take, context};
        if (!c->is_file && !c->polls[i].revents) {
            note_seen(s, polled_ns);
            continue;
        }
        uint64_t before_ns = clock_unix_ns();
        int count = pcap_dispatch(s->pcap, AT_ONCE, on_packet, (u_char *)(void *)&r);
        if (count < 0)
            return say(why, why_size, s->name, "cannot be read any more", s->pcap);
        if (count == 0 && c->is_file)
            return snprintf(why, why_size, "tap: %s: its end", s->name), -1;
        note_seen(s, count < AT_ONCE && !c->is_file ? before_ns : 0);
        total += count;
    }
    return total;
}

uint64_t tap_capture_seen_unix_ns(const struct tap_capture *c)
{
    uint64_t seen_ns = c->count ? c->sources[0].seen_ns : 0;
    for (size_t i = 1; i < c->count; i++)
        seen_ns = c->sources[i].seen_ns < seen_ns ? c->sources[i].seen_ns : seen_ns;
    return seen_ns;
}

void tap_capture_stats(struct tap_capture *c, struct tap_capture_stats *out)
{
    struct pcap_stat one;
    for (size_t i = 0; i < c->count && !c->is_file; i++) {
        struct source *s = &c->sources[i];
        if (pcap_stats(s->pcap, &one) != 0)
            continue;
        c->stats.dropped += (uint32_t)(one.ps_drop - s->dropped);
        c->stats.missed += (uint32_t)(one.ps_ifdrop - s->missed);
        s->dropped = one.ps_drop;
        s->missed = one.ps_ifdrop;
    }
    *out = c->stats;
}

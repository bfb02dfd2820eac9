// SPDX-License-Identifier: Apache-2.0
/* The text of an alert's labels and annotations, with places for what the alert knows:
 *
 *     {{ $labels.NAME }}  {{ $value }}  {{ .Labels.NAME }}  {{ .Value }}
 *     {{ $value | humanize }}  {{ humanizeDuration $value }}  {{ printf "%.2f" $value }}
 *
 * That is a part of Prometheus' templates; all else is an error when it is read, so that no alert
 * goes out with the template in place of its words. */
#ifndef WEFT_COLLECTOR_RULES_TEMPLATE_H
#define WEFT_COLLECTOR_RULES_TEMPLATE_H

#include "lib/base/arena.h"
#include "lib/base/buffer.h"
#include "lib/codec/labels.h"

struct template;

/* In `arena`; the text need not stay. NULL with "found …, expected …" in `why`. */
struct template *template_parse(struct arena *arena, const char *text, char *why, size_t why_size);
void template_expand(const struct template *t, const struct labels *labels, double value,
                     struct buffer *out);

/* ---- numbers, as Prometheus' functions of these names write them -------------------------- */

void template_put_number(struct buffer *out, double value);
void template_humanize(struct buffer *out, double value);
void template_humanize_percentage(struct buffer *out, double value);
void template_humanize_duration(struct buffer *out, double seconds);

#endif

// SPDX-License-Identifier: Apache-2.0
/* One line of StatsD. What parses is walked. */
#include <math.h>
#include <stdlib.h>

#include "agent/stats/statsd_line.h"

static volatile double sink;

static void read_text(struct batch_str text)
{
    for (uint32_t i = 0; i < text.length; i++)
        sink += text.bytes[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct statsd_line line;
    if (!statsd_line_parse((const char *)data, size, &line))
        return 0;
    read_text(line.name);
    if (!(line.rate > 0 && line.rate <= 1) || line.value_count == 0)
        abort();
    for (uint32_t i = 0; i < line.value_count; i++) {
        read_text(line.values[i].text);
        if (line.type != STATSD_SET && !isfinite(line.values[i].number))
            abort();
    }
    for (uint32_t i = 0; i < line.label_count; i++) {
        read_text(line.labels[i].name);
        read_text(line.labels[i].value);
        if (line.labels[i].value.length == 0 ||
            (i > 0 && batch_str_compare(line.labels[i - 1].name, line.labels[i].name) >= 0))
            abort();
    }
    return 0;
}

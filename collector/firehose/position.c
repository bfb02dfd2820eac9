// SPDX-License-Identifier: Apache-2.0
#include "collector/firehose/position.h"

#include <stdio.h>

void position_text(const struct firehose_position *p, char text[POSITION_TEXT_MAX])
{
    snprintf(text, POSITION_TEXT_MAX, "%llx.%llx.%x.%llx", (unsigned long long)p->segment,
             (unsigned long long)p->offset, p->row, (unsigned long long)p->spans);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One number, up to 16 digits; *at stands behind it. */
static bool parse_hex(const char **at, uint64_t *value)
{
    const char *begin = *at;
    *value = 0;
    while (digit(**at) >= 0 && *at - begin < 16)
        *value = *value << 4 | (uint64_t)digit(*(*at)++);
    return *at > begin;
}

bool position_parse(const char *text, struct firehose_position *p)
{
    uint64_t numbers[4];
    for (int i = 0; i < 4; i++) {
        if (i > 0 && *text++ != '.')
            return false;
        if (!parse_hex(&text, &numbers[i]))
            return false;
    }
    if (*text || numbers[2] > UINT32_MAX || (numbers[0] == 0) != (numbers[1] == 0))
        return false;
    *p = (struct firehose_position){numbers[0], numbers[1], (uint32_t)numbers[2], numbers[3]};
    return true;
}

// SPDX-License-Identifier: Apache-2.0
#include "collector/query/traceql/engine/value.h"

#include <math.h>
#include <string.h>

#include "collector/hash.h"
#include "lib/base/number.h"

static int sign_of(bool less, bool greater)
{
    return greater - less;
}

static int order_text(struct batch_str a, struct batch_str b)
{
    uint32_t least = a.length < b.length ? a.length : b.length;
    int order = least ? memcmp(a.bytes, b.bytes, least) : 0;
    return order ? order : sign_of(a.length<b.length, a.length> b.length);
}

/* False: they do not compare. NaN compares with nothing. */
static bool order_of(const struct traceql_value *a, const struct traceql_value *b, int *order)
{
    if (value_is_number(a) && value_is_number(b)) {
        if (a->type != TRACEQL_FLOAT && b->type != TRACEQL_FLOAT) {
            *order = sign_of(a->integer<b->integer, a->integer> b->integer);
            return true;
        }
        double x = value_number(a), y = value_number(b);
        *order = sign_of(x<y, x> y);
        return !isnan(x) && !isnan(y);
    }
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case TRACEQL_STRING:
        *order = order_text(a->text, b->text);
        return true;
    case TRACEQL_BOOL:
        *order = sign_of(a->boolean<b->boolean, a->boolean> b->boolean);
        return true;
    case TRACEQL_STATUS:
    case TRACEQL_KIND:
        *order = sign_of(a->keyword<b->keyword, a->keyword> b->keyword);
        return true;
    default:
        return false;
    }
}

bool value_compare(enum traceql_op op, const struct traceql_value *a, const struct traceql_value *b)
{
    int order;
    if (!order_of(a, b, &order))
        return false;
    switch (op) {
    case TRACEQL_EQ:
        return order == 0;
    case TRACEQL_NE:
        return order != 0;
    default:
        break;
    }
    if (!value_is_number(a) && a->type != TRACEQL_STRING)
        return false;
    switch (op) {
    case TRACEQL_LT:
        return order < 0;
    case TRACEQL_LE:
        return order <= 0;
    case TRACEQL_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

/* What is not a number is no value. */
static struct traceql_value from_float(double number)
{
    if (isnan(number))
        return (struct traceql_value){.type = TRACEQL_NIL};
    return (struct traceql_value){.type = TRACEQL_FLOAT, .number = number};
}

static struct traceql_value from_int(uint64_t bits)
{
    return (struct traceql_value){.type = TRACEQL_INT, .integer = (int64_t)bits};
}

static struct traceql_value int_power(int64_t base, int64_t exponent)
{
    if (exponent < 0)
        return from_float(pow((double)base, (double)exponent));
    uint64_t result = 1, factor = (uint64_t)base;
    for (uint64_t left = (uint64_t)exponent; left > 0; left >>= 1) {
        if (left & 1)
            result *= factor;
        factor *= factor;
    }
    return from_int(result);
}

static struct traceql_value calculate_ints(enum traceql_op op, int64_t a, int64_t b)
{
    static const struct traceql_value nil = {.type = TRACEQL_NIL};
    uint64_t x = (uint64_t)a, y = (uint64_t)b;
    switch (op) {
    case TRACEQL_ADD:
        return from_int(x + y);
    case TRACEQL_SUB:
        return from_int(x - y);
    case TRACEQL_MUL:
        return from_int(x * y);
    case TRACEQL_DIV:
        return b == 0 ? nil : b == -1 ? from_int(0 - x) : from_int((uint64_t)(a / b));
    case TRACEQL_MOD:
        return b == 0 ? nil : b == -1 ? from_int(0) : from_int((uint64_t)(a % b));
    default:
        return int_power(a, b);
    }
}

struct traceql_value value_calculate(enum traceql_op op, const struct traceql_value *a,
                                     const struct traceql_value *b)
{
    if (!value_is_number(a) || !value_is_number(b))
        return (struct traceql_value){.type = TRACEQL_NIL};
    if (a->type == TRACEQL_INT && b->type == TRACEQL_INT)
        return calculate_ints(op, a->integer, b->integer);
    double x = value_number(a), y = value_number(b);
    switch (op) {
    case TRACEQL_ADD:
        return from_float(x + y);
    case TRACEQL_SUB:
        return from_float(x - y);
    case TRACEQL_MUL:
        return from_float(x * y);
    case TRACEQL_DIV:
        return from_float(x / y);
    case TRACEQL_MOD:
        return from_float(fmod(x, y));
    default:
        return from_float(pow(x, y));
    }
}

struct traceql_value value_negative(const struct traceql_value *v)
{
    struct traceql_value result = *v;
    if (v->type == TRACEQL_FLOAT)
        result.number = -v->number;
    else if (value_is_number(v))
        result.integer = (int64_t)(0 - (uint64_t)v->integer);
    else
        result.type = TRACEQL_NIL;
    return result;
}

/* ---- for tables -------------------------------------------------------------------------- */

static uint64_t bits_of(const struct traceql_value *v)
{
    switch (v->type) {
    case TRACEQL_INT:
    case TRACEQL_DURATION:
        return (uint64_t)v->integer;
    case TRACEQL_FLOAT:
        return v->number == 0 ? 0 : number_bits(v->number);
    case TRACEQL_BOOL:
        return v->boolean;
    case TRACEQL_STATUS:
    case TRACEQL_KIND:
        return v->keyword;
    default:
        return 0;
    }
}

bool value_same(const struct traceql_value *a, const struct traceql_value *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == TRACEQL_STRING)
        return a->text.length == b->text.length &&
               (a->text.bytes == b->text.bytes || order_text(a->text, b->text) == 0);
    return bits_of(a) == bits_of(b);
}

uint64_t value_hash(const struct traceql_value *v)
{
    uint64_t bits =
        v->type == TRACEQL_STRING ? hash_bytes(v->text.bytes, v->text.length) : bits_of(v);
    return hash_words(bits, v->type);
}

int value_order(const struct traceql_value *a, const struct traceql_value *b)
{
    int order;
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    if (order_of(a, b, &order))
        return order;
    uint64_t x = bits_of(a), y = bits_of(b);
    return sign_of(x<y, x> y);
}

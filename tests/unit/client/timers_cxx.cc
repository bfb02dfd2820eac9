// SPDX-License-Identifier: Apache-2.0
/* What C++ adds for stats_test.c: handles in templates and inline functions, and exceptions. */
#include <stdexcept>

#include "weft/weft.h"

extern "C" void count_in_cxx(int times);

namespace
{

template <class T> void count_as(T n)
{
    weft_counter_add(WEFT_COUNTER("cxx_total", "kind", "template"), static_cast<uint64_t>(n));
}

void time_and_throw()
{
    WEFT_TIME("cxx_us")
    {
        WEFT_TIME("cxx_inner_us") throw std::runtime_error("out of both");
    }
}

} // namespace

void count_in_cxx(int times)
{
    for (int i = 0; i < times; i++) {
        count_as(1);
        count_as(1L);
        try {
            time_and_throw();
        } catch (const std::runtime_error &) {
            weft_gauge_add(WEFT_GAUGE("cxx_caught"), 1);
        }
    }
}

# SPDX-License-Identifier: Apache-2.0
add_executable(bench_series series_bench.c)
target_link_libraries(bench_series PRIVATE weft_series)

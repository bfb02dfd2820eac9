# SPDX-License-Identifier: Apache-2.0
add_executable(bench_rrd rrd_bench.c)
target_link_libraries(bench_rrd PRIVATE weft_collector)

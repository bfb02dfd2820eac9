# SPDX-License-Identifier: Apache-2.0
add_executable(bench_segment segment_bench.c)
target_link_libraries(bench_segment PRIVATE weft_collector weft_workload)

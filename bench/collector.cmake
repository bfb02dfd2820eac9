# SPDX-License-Identifier: Apache-2.0
# The seeded workloads, for whoever measures.
weft_library(weft_workload SOURCES workload.c LINK weft_codec m)

add_executable(bench_collector collector_bench.c)
target_link_libraries(bench_collector PRIVATE weft_collector weft_workload)

# SPDX-License-Identifier: Apache-2.0
# What script/bench stats loads the collector, Prometheus and VictoriaMetrics with.
add_executable(bench_stats_feed stats_feed.c)
target_link_libraries(bench_stats_feed PRIVATE weft_prom Threads::Threads)

# SPDX-License-Identifier: Apache-2.0
# The store beside SQLite and a clickhouse-server, where one is installed.
add_executable(bench_traces
  traces.c
  traces/questions.c
  traces/table.c
  traces/weft_ingest.c
  traces/weft_ask.c
  traces/peer_sqlite.c
  traces/peer_clickhouse.c
  traces/clickhouse_server.c)
target_link_libraries(bench_traces PRIVATE
  weft_collector weft_workload PkgConfig::sqlite PkgConfig::curl)

# SPDX-License-Identifier: Apache-2.0
add_executable(bench_tap_client tap_client.c)
target_include_directories(bench_tap_client PRIVATE ${PROJECT_SOURCE_DIR})
add_executable(bench_tap_sketches tap_sketches.c)
target_include_directories(bench_tap_sketches PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(bench_tap_sketches PRIVATE weft_model m)
add_executable(bench_tap_memory tap_memory.c)
target_include_directories(bench_tap_memory PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(bench_tap_memory PRIVATE weft_exchange)

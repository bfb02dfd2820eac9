# SPDX-License-Identifier: Apache-2.0
add_executable(bench_codec codec_bench.c)
target_link_libraries(bench_codec PRIVATE weft_codec)

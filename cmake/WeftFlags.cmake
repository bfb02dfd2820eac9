# SPDX-License-Identifier: Apache-2.0
# Warnings that find real faults, and the sanitizers.

add_compile_options(-Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wundef
                    -Wwrite-strings -Wformat=2 -Wvla -Wimplicit-fallthrough -fno-common)
add_compile_options($<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes> $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>
                    $<$<COMPILE_LANGUAGE:C>:-Wold-style-definition>)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wlogical-op -Wduplicated-cond -Wduplicated-branches
                      $<$<COMPILE_LANGUAGE:C>:-Wjump-misses-init>)
endif()
add_compile_definitions(_GNU_SOURCE)

set(SANITIZE "" CACHE STRING "address (with undefined), thread, or empty")
if(SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(SANITIZE STREQUAL "thread")
  # TSan does not model fences; those here have an acquire or release access beside them.
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer $<$<C_COMPILER_ID:GNU>:-Wno-tsan>)
  add_link_options(-fsanitize=thread)
elseif(NOT SANITIZE STREQUAL "")
  message(FATAL_ERROR "SANITIZE=${SANITIZE}: expected address, thread or nothing")
endif()

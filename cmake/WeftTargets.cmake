# SPDX-License-Identifier: Apache-2.0

# weft_library(NAME SOURCES a.c b.c LINK x y): an internal static library. Includes are
# written from the root: "lib/ring/slab.h".
function(weft_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
endfunction()

# weft_unit(PATH LINK x y): tests/unit/PATH_test.c, one cmocka program.
function(weft_unit path)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  string(REPLACE "/" "_" name ${path})
  add_executable(unit_${name} ${PROJECT_SOURCE_DIR}/tests/unit/${path}_test.c)
  target_include_directories(unit_${name} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(unit_${name} PRIVATE ${ARG_LINK} cmocka)
  add_test(NAME unit/${path} COMMAND unit_${name})
  set_tests_properties(unit/${path} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()

# weft_fuzz(PATH LINK x y): tests/fuzz/PATH_fuzz.c, a libFuzzer program.
function(weft_fuzz path)
  if(NOT WEFT_FUZZ)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  string(REPLACE "/" "_" name ${path})
  add_executable(fuzz_${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/${path}_fuzz.c)
  target_include_directories(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
  target_compile_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(fuzz_${name} PRIVATE ${ARG_LINK})
endfunction()

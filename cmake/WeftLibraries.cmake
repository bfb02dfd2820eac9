# SPDX-License-Identifier: Apache-2.0
# What we stand on: Debian 12's packages, with the versions that they have there as a floor.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(protobuf_c REQUIRED IMPORTED_TARGET libprotobuf-c>=1.4)
pkg_check_modules(nanomsg REQUIRED IMPORTED_TARGET nanomsg>=1.1.5)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd>=1.5)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash>=0.8)
pkg_check_modules(uv REQUIRED IMPORTED_TARGET libuv>=1.44)
pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-0.1>=0.2)
pkg_check_modules(jansson REQUIRED IMPORTED_TARGET jansson>=2.14)
pkg_check_modules(microhttpd REQUIRED IMPORTED_TARGET libmicrohttpd>=0.9.75)
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl>=7.88)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd>=250)
pkg_check_modules(hiredis REQUIRED IMPORTED_TARGET hiredis>=0.14)
pkg_check_modules(memcached REQUIRED IMPORTED_TARGET libmemcached>=1.1)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(sqlite REQUIRED IMPORTED_TARGET sqlite3>=3.40)
# Debian's package has no .pc file.
find_path(ROARING_INCLUDE roaring/roaring.h REQUIRED)
find_library(ROARING_LIBRARY roaring REQUIRED)
add_library(Roaring::roaring UNKNOWN IMPORTED)
set_target_properties(Roaring::roaring PROPERTIES
  IMPORTED_LOCATION ${ROARING_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${ROARING_INCLUDE})
find_program(PROTOC_C protoc-c REQUIRED)
find_program(BISON bison REQUIRED)
find_program(RE2C re2c REQUIRED)

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles every block of C and C++ in pages of the documentation, each by itself, as a reader
# would who copies it.
#
#   snippets.sh CC CXX INCLUDE PAGE…
set -eu
cc=$1 cxx=$2 include=$3
shift 3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0 count=0
for page in "$@"; do
    rm -f "$dir"/*
    awk -v dir="$dir" '
        /^```/ && out { close(out); out = ""; next }
        /^```c$/ { out = sprintf("%s/%04d.c", dir, NR) }
        /^```cpp$/ { out = sprintf("%s/%04d.cc", dir, NR) }
        /^```/ { next }
        out { print > out }' "$page"
    for file in "$dir"/*.c "$dir"/*.cc; do
        [ -e "$file" ] || continue
        count=$((count + 1))
        case $file in
        *.cc) compile="$cxx -std=c++11" ;;
        *) compile="$cc -std=c11" ;;
        esac
        line=$(basename "$file" | sed 's/^0*//; s/\..*//')
        # shellcheck disable=SC2086
        if ! $compile -Wall -Wextra -Werror -fsyntax-only -I "$include" "$file" 2>"$dir/said"; then
            echo "$page:$line: the code that begins here does not compile:"
            cat "$dir/said"
            failed=$((failed + 1))
        fi
    done
done
echo "$count pieces of code, $failed do not compile"
[ "$count" -gt 0 ] && [ "$failed" -eq 0 ]

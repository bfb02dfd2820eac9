#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What recording and counting cost, with LTTng-UST and prometheus-cpp beside them where they are
# installed (script/bootstrap --bench).
set -eu
build=${WEFT_BUILD:-build/release}
"$build/bench/bench_record"
echo
"$build/bench/bench_record_stats"
if [ -x "$build/bench/bench_record_prometheus" ]; then
    "$build/bench/bench_record_prometheus"
else
    echo "prometheus-cpp: not here (script/bootstrap --bench installs it)"
fi
echo

[ -x "$build/bench/bench_record_lttng" ] && command -v lttng >/dev/null || {
    echo "LTTng-UST: not here (script/bootstrap --bench installs it)"
    exit 0
}
home=$(mktemp -d /dev/shm/weft-lttng-XXXXXX)
export LTTNG_HOME="$home"
lttng-sessiond --no-kernel --quiet >/dev/null 2>&1 &
daemon=$!
finish() {
    lttng destroy weft-bench >/dev/null 2>&1 || true
    kill "$daemon" 2>/dev/null || true
    wait "$daemon" 2>/dev/null || true
    rm -rf "$home"
}
trap finish EXIT INT TERM
for _ in 1 2 3 4 5 6 7 8 9 10; do
    lttng create weft-bench --output "$home/trace" >/dev/null 2>&1 && break
    sleep 0.5
done
lttng enable-channel --userspace --subbuf-size 4M --num-subbuf 8 weft >/dev/null
lttng enable-event --userspace --channel weft 'weft_bench:*' >/dev/null
lttng start >/dev/null
ns=$("$build/bench/bench_record_lttng")
lttng stop >/dev/null
printf '%-44s %8.1f ns  (begin and end as two events, 2 attributes)\n' "LTTng-UST, tight" "$ns"

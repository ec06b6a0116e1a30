#!/bin/sh
# Run every fuzz target, or those named, for some seconds each: scripts/fuzz.sh [seconds] [name ...]
#
# What a run discovers is collected in build-fuzz/found/<name>; an input that breaks a target is left in build-fuzz/broken and its
# path is printed. The hand-written seeds in fuzz/corpus are never changed by this script.
set -eu
cd "$(dirname "$0")/.."

seconds=${1:-60}
[ $# -gt 0 ] && shift
build=${TORNADO_FUZZ_BUILD:-build-fuzz}

if [ ! -f "$build/build.ninja" ]; then
    cmake --preset fuzz -B "$build" > /dev/null
fi
[ $# -gt 0 ] || set -- $(ls fuzz/fuzz_*.c | sed 's|fuzz/fuzz_||; s|\.c$||')

mkdir -p "$build/broken"
for name in "$@"; do
    ninja -C "$build" "fuzz_$name" > "$build/ninja.log" || {
        tail -n 40 "$build/ninja.log"
        exit 1
    }
    mkdir -p "$build/found/$name"
    echo "$name: $seconds s"
    "$build/fuzz/fuzz_$name" -max_total_time="$seconds" -max_len=4096 -timeout=5 \
        -artifact_prefix="$build/broken/$name-" "$build/found/$name" "fuzz/corpus/$name" 2> "$build/found/$name.log" || {
        tail -n 40 "$build/found/$name.log"
        exit 1
    }
    grep DONE "$build/found/$name.log" | sed 's/^/    /'
done

#!/bin/sh
# What `make check` runs, quick things first. Every check runs even when an earlier one failed.
cd "$(dirname "$0")/.." || exit 1
status=0
step() {
    echo "check: $1"
    shift
    "$@" || status=1
}
step "layout of the C files" scripts/format.sh --check
step "layers" scripts/check_layers.py
step "lengths of functions and files" scripts/check_lengths.py
step "comments in public headers" scripts/check_headers.py
step "the walk in docs/life-of-a-request.md" scripts/check_walk.py
step "unit tests" scripts/run_tests.py build -L unit
exit $status

#!/bin/sh
# Lay out every C file by .clang-format; with --check, only name the files that are not laid out so. The layout is that of
# clang-format 14, which Debian 12 and Ubuntu 24.04 have; another version would quarrel with it, so without that one nothing is done.
set -eu
cd "$(dirname "$0")/.."
format=""
for name in clang-format-14 clang-format; do
    if command -v $name > /dev/null 2>&1 && $name --version | grep -q 'version 14\.'; then
        format=$name
        break
    fi
done
if [ -z "$format" ]; then
    echo "format: clang-format 14 is not installed (apt-get install clang-format-14), so nothing was done"
    [ "${1:-}" = --check ]
    exit
fi
if [ "${1:-}" != --check ]; then
    git ls-files -z -- '*.c' '*.h' | xargs -0 "$format" -i
    exit
fi
status=0
for file in $(git ls-files -- '*.c' '*.h'); do
    if [ -e "$file" ] && ! "$format" "$file" | cmp -s - "$file"; then
        echo "$file: not laid out by .clang-format (make format does it)"
        status=1
    fi
done
exit $status

#!/bin/sh
# Install what is missing to build and test on Debian 12 or Ubuntu 24.04. Called by the Makefile: setup.sh run|test|python|bench|fuzz|aarch64.
# When nothing is missing it prints nothing and does nothing.
set -eu
purpose=${1:-run}
missing=""

need() { # need <package> <command that succeeds when it is there>...
    package=$1
    shift
    "$@" > /dev/null 2>&1 || missing="$missing $package"
}

have_header() { # for compilers whose C library headers come in a package of their own
    echo "#include <$1>" | cc -E -x c - > /dev/null 2>&1
}

have_libfuzzer() {
    echo "int LLVMFuzzerTestOneInput(const char *p, long n) { return p && n > 8; }" |
        clang -fsanitize=fuzzer,address -x c - -o /dev/null
}

need gcc command -v cc
need libc6-dev have_header stdio.h
need cmake command -v cmake
need ninja-build command -v ninja
need pkg-config command -v pkg-config
need libssl-dev pkg-config --exists libssl
need zlib1g-dev pkg-config --exists zlib
if [ "$purpose" = python ]; then
    need python3-venv "${PYTHON:-python3}" -c "import ensurepip"
    need python3-dev "${PYTHON:-python3}" -c "import os, sysconfig; os.stat(sysconfig.get_path('include') + '/Python.h')"
else
    need libpcre2-dev pkg-config --exists libpcre2-8
    need libjansson-dev pkg-config --exists jansson
    need libcmocka-dev pkg-config --exists cmocka
fi
if [ "$purpose" = test ] || [ "$purpose" = bench ]; then
    need g++ command -v c++
    need curl command -v curl
    need python3 command -v python3
fi
if [ "$purpose" = test ]; then # the library does without, but then its c-ares resolver is not tested
    need libc-ares-dev pkg-config --exists libcares
fi
if [ "$purpose" = aarch64 ]; then
    need gcc-aarch64-linux-gnu command -v aarch64-linux-gnu-gcc
    need libc6-dev-arm64-cross test -e /usr/aarch64-linux-gnu/include/stdio.h
    need qemu-user command -v qemu-aarch64
    need python3 command -v python3
fi
if [ "$purpose" = bench ]; then
    need wrk command -v wrk
    need nginx-light test -x /usr/sbin/nginx
    need valgrind command -v valgrind
    need strace command -v strace
fi
if [ "$purpose" = fuzz ]; then
    need "clang libclang-rt-dev" have_libfuzzer
fi
[ -n "$missing" ] || exit 0

if ! command -v apt-get > /dev/null 2>&1; then
    echo "This system has no apt-get, so please install by hand what these Debian packages contain:$missing" >&2
    exit 1
fi
sudo=""
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo > /dev/null 2>&1; then
        echo "Please install these packages as root, then run make again:$missing" >&2
        exit 1
    fi
    sudo=sudo
fi
echo "Installing what is missing, with apt-get:$missing"

# Nothing that is installed here shall start a service. A policy that somebody else has put there is left alone.
policy=/usr/sbin/policy-rc.d
if [ "$purpose" = bench ] && [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy > /dev/null
    $sudo chmod 755 $policy
    trap '$sudo rm -f $policy' EXIT
fi
# The lists of packages may be old or absent; when they cannot be fetched, what is there may still do.
$sudo apt-get update -qq || true
# shellcheck disable=SC2086 # a list of words
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing

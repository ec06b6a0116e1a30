#!/bin/sh
# Put the arm64 libraries that we link with into build-aarch64/sysroot, for `make aarch64`. They are unpacked there and not installed, with
# package lists of their own, so nothing of the system changes and no rights are needed. Does nothing when they are there.
set -eu
cd "$(dirname "$0")/.."
folder=$PWD/build-aarch64
[ ! -e "$folder/sysroot/complete" ] || exit 0

packages="libssl-dev libssl3 zlib1g-dev zlib1g libpcre2-dev libpcre2-8-0 libjansson-dev libjansson4 libcmocka-dev libcmocka0"
if ! apt-cache show libssl3 > /dev/null 2>&1; then # Ubuntu 24.04 has it under another name
    packages=$(echo "$packages" | sed 's/libssl3/libssl3t64/')
fi

echo "Fetching libraries for aarch64 into build-aarch64/sysroot"
mkdir -p "$folder/apt/state/lists/partial" "$folder/apt/cache/archives/partial" "$folder/apt/packages" "$folder/sysroot"
: > "$folder/apt/state/status"
apt() {
    apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$folder/apt/state" \
        -o Dir::State::status="$folder/apt/state/status" -o Dir::Cache="$folder/apt/cache" -o APT::Sandbox::User=root "$@"
}
apt update
cd "$folder/apt/packages"
# shellcheck disable=SC2086 # a list of words
apt download $packages
for package in *.deb; do dpkg -x "$package" "$folder/sysroot"; done
touch "$folder/sysroot/complete"

#!/usr/bin/env python3
"""What `make install` installs can be used: a minimal program is built and run through pkg-config and through find_package.

Usage: test_install.py BUILD_DIR CMAKE C_COMPILER. Run by ctest. The prefix is a scratch folder, and is moved after the
installation: nothing installed may remember where it was.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CONSUMER = os.path.join(HERE, "consumer", "consumer.c")
FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Werror"]


def run(command, **environment):
    """Run a command to its good end and return its output."""
    result = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
    if result.returncode != 0:
        raise AssertionError(f"{shlex.join(command)} ended with {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


def find(prefix, name):
    for folder, _, names in os.walk(prefix):
        if name in names:
            return folder
    raise AssertionError(f"{name} was not installed")


def test_nothing_installed_names_the_build(prefix, scratch, cmake, cc, build):
    source = os.path.dirname(os.path.dirname(HERE))
    for folder, _, names in os.walk(prefix):
        for name in names:
            if name.endswith((".h", ".pc", ".cmake")):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    text = file.read()
                for place in (source, build):
                    assert not re.search(re.escape(place) + r"(/|\b)", text), f"{name} names {place}"


def test_pkg_config_gives_the_shared_library(prefix, scratch, cmake, cc, build):
    path = find(prefix, "tornado.pc")
    flags = run(["pkg-config", "--cflags", "--libs", "tornado"], PKG_CONFIG_PATH=path).split()
    program = os.path.join(scratch, "pc_shared")
    run([cc, *FLAGS, CONSUMER, "-o", program, *flags])
    assert run([program], LD_LIBRARY_PATH=find(prefix, "libtornado.so")) == "good\n"
    assert "libtornado.so.1" in run(["ldd", program], LD_LIBRARY_PATH=find(prefix, "libtornado.so"))


def test_pkg_config_gives_the_static_library(prefix, scratch, cmake, cc, build):
    path = find(prefix, "tornado.pc")
    flags = run(["pkg-config", "--cflags", "--libs", "--static", "tornado"], PKG_CONFIG_PATH=path).split()
    flags = [flag if flag != "-ltornado" else "-l:libtornado.a" for flag in flags]
    program = os.path.join(scratch, "pc_static")
    run([cc, *FLAGS, CONSUMER, "-o", program, *flags])
    assert run([program]) == "good\n"


def test_find_package_gives_both(prefix, scratch, cmake, cc, build):
    there = os.path.join(scratch, "consumer")
    run([cmake, "-S", os.path.join(HERE, "consumer"), "-B", there, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
         f"-DCMAKE_C_COMPILER={cc}"])
    run([cmake, "--build", there])
    assert run([os.path.join(there, "consumer_shared")]) == "good\n"
    assert run([os.path.join(there, "consumer_static")]) == "good\n"


def main():
    build, cmake, cc = os.path.abspath(sys.argv[1]), *sys.argv[2:4]
    passed = failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        first, prefix = os.path.join(scratch, "first"), os.path.join(scratch, "moved")
        run([cmake, "--install", build, "--prefix", first])
        os.rename(first, prefix)
        for name, test in list(globals().items()):
            if not name.startswith("test_"):
                continue
            try:
                test(prefix, scratch, cmake, cc, build)
                passed += 1
            except AssertionError as error:
                failed += 1
                print(f"FAILED {name}: {error}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

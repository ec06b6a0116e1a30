#!/usr/bin/env python3
"""Every public header compiles alone, as C11 and as C++17, without a warning.

Usage: test_headers.py INCLUDE_DIR C_COMPILER. Run by ctest. "Alone" is literal: a source file includes one header, twice, and
nothing else.
"""

import os
import shutil
import subprocess
import sys

WARNINGS = ["-pedantic", "-Wall", "-Wextra", "-Wshadow", "-Werror"]


def compilers(c_compiler):
    """(name, command) of each language that there is a compiler for; C++ may be absent outside of `make test`."""
    yield "C11", [c_compiler, "-std=c11", "-x", "c"]
    for cxx in (os.environ.get("CXX"), "c++", "clang++"):
        if cxx and shutil.which(cxx):
            yield "C++17", [cxx, "-std=c++17", "-x", "c++"]
            return


def main():
    include, c_compiler = sys.argv[1:3]
    headers = []
    for folder, _, names in os.walk(include):
        headers += [os.path.relpath(os.path.join(folder, name), include) for name in names if name.endswith(".h")]
    passed = failed = 0
    for language, command in compilers(c_compiler):
        for header in sorted(headers):
            source = f"#include <{header}>\n" * 2
            result = subprocess.run([*command, *WARNINGS, "-fsyntax-only", f"-I{include}", "-"],
                                    input=source, capture_output=True, text=True)
            if result.returncode == 0:
                passed += 1
            else:
                failed += 1
                print(f"{header} does not compile alone as {language}:\n{result.stderr}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

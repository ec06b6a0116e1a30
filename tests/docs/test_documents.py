#!/usr/bin/env python3
"""Programs in the documents compile: every C block with a main function in README.md and docs/, without a warning.

Usage: test_documents.py ROOT C_COMPILER. Run by ctest.
"""

import os
import re
import subprocess
import sys

BLOCK = re.compile(r"^```c\n(.*?)^```$", re.M | re.S)
FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c", "-"]


def documents(root):
    yield os.path.join(root, "README.md")
    for folder, _, names in os.walk(os.path.join(root, "docs")):
        for name in sorted(names):
            if name.endswith(".md"):
                yield os.path.join(folder, name)


def main():
    root, cc = sys.argv[1:3]
    passed = failed = 0
    for path in documents(root):
        with open(path, encoding="utf-8") as file:
            programs = [block for block in BLOCK.findall(file.read()) if "int main(" in block]
        for number, program in enumerate(programs, 1):
            command = [cc, f"-I{root}/include", *FLAGS]
            result = subprocess.run(command, input=program, capture_output=True, text=True)
            passed, failed = passed + (result.returncode == 0), failed + (result.returncode != 0)
            if result.returncode != 0:
                print(f"FAILED program {number} of {os.path.relpath(path, root)}:\n{result.stderr}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

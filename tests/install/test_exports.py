#!/usr/bin/env python3
"""libtornado.so exports what the public headers declare, under the version node TORNADO_1, and nothing else.

Usage: test_exports.py LIBRARY INCLUDE_DIR. Run by ctest.
"""

import os
import re
import subprocess
import sys

DECLARATION = re.compile(r"^TN_API\b[^;{]*?\b(tn_\w+)\s*(?:\(|;|\[)", re.M)
COMMENT = re.compile(r"/\*.*?\*/", re.S)


def exported(library):
    """{symbol: version node} of what the library defines for others."""
    output = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions", library],
                            capture_output=True, text=True, check=True).stdout
    symbols = {}
    for line in output.splitlines():
        kind, name = line.split()[-2:]
        if kind != "A":  # the node itself
            name, _, node = name.partition("@")
            symbols[name] = node.lstrip("@")
    return symbols


def declared(include):
    names = set()
    for folder, _, files in os.walk(include):
        for file in files:
            with open(os.path.join(folder, file), encoding="utf-8") as header:
                names.update(DECLARATION.findall(COMMENT.sub("", header.read())))
    return names


def test_only_public_names_are_exported(symbols, names):
    assert not [s for s in symbols if not s.startswith("tn_") or s.startswith("tn__")]


def test_every_symbol_has_the_version_node(symbols, names):
    assert {s: node for s, node in symbols.items() if node != "TORNADO_1"} == {}


def test_every_declared_function_is_exported(symbols, names):
    assert sorted(names - set(symbols)) == []


def test_every_exported_function_is_declared(symbols, names):
    assert sorted(set(symbols) - names) == []


def main():
    symbols, names = exported(sys.argv[1]), declared(sys.argv[2])
    passed = failed = 0
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            try:
                test(symbols, names)
                passed += 1
            except AssertionError:
                failed += 1
                print(f"FAILED {name}")
    if failed:
        print("declared, not exported:", sorted(names - set(symbols)))
        print("exported, not declared:", sorted(set(symbols) - names))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

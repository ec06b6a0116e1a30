#!/usr/bin/env python3
"""A file includes headers of its own floor or of a lower one, never of a higher one (docs/architecture.md).

Run by `make check`. A public header belongs to the floor of its module; a new one is entered in PUBLIC below. The Python face
stands on the engine, so its files may include base to web.
"""

import os
import re

import tree

FLOORS = ["base", "core", "net", "http", "web", "gen", "tools"]
PUBLIC = {
    "base": "str error log",
    "core": "ioloop",
    "net": "iostream netutil tcpserver tcpclient tls process",
    "http": "httputil httpserver httpclient",
    "web": "web routing websocket escape template locale auth",
    "gen": "gen concurrent locks queues",
    "tools": "options autoreload testing",
}
FLOOR_OF_HEADER = {f"tornado/{name}.h": floor for floor, names in PUBLIC.items() for name in names.split()}
INCLUDE = re.compile(r'\s*#\s*include\s+["<]([^">]+)[">]')


def floor_of_file(path):
    """The highest floor that a file may include."""
    if path.startswith("src/"):
        return path.split("/")[1]
    return "web"  # python/ext


def floor_of_include(path, name):
    """The floor that an include line names; None for headers of the system and of other libraries."""
    if name in FLOOR_OF_HEADER:
        return FLOOR_OF_HEADER[name]
    if name.startswith("tornado/"):
        return "unknown"
    first = name.split("/")[0]
    if "/" in name and first in FLOORS:
        return first
    beside = os.path.join(os.path.dirname(path), name)
    if path.startswith("src/") and os.path.exists(os.path.join(tree.ROOT, beside)):
        return floor_of_file(os.path.normpath(beside))
    return None


def main():
    findings = []
    for path in tree.files("src/*.[chS]", "python/ext/*.[ch]"):
        floor = floor_of_file(path)
        if floor not in FLOORS:
            findings.append(f"{path}: src/{floor} is no floor")
            continue
        for number, line in enumerate(tree.lines(path), 1):
            match = INCLUDE.match(line)
            included = floor_of_include(path, match[1]) if match else None
            if included == "unknown":
                findings.append(f"{path}:{number}: {match[1]} has no floor yet: enter it in scripts/check_layers.py")
            elif included and FLOORS.index(included) > FLOORS.index(floor):
                findings.append(f"{path}:{number}: {floor} includes {match[1]}, which is of the higher floor {included}")
    tree.finish(findings)


if __name__ == "__main__":
    main()

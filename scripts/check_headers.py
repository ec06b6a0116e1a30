#!/usr/bin/env python3
"""Every function in include/ has a comment, and every public header opens with one. Run by `make check`.

A comment stands right above its declaration, or behind it on the same line, or above the first of several declarations that follow
each other without a blank line and share it.
"""

import re

import tree

DECLARED = re.compile(r"^TN_API\b|^#define tn_\w+[a-z0-9]\(")


def begins_group(lines, at):
    """The line above the declaration that begins at lines[at]: skips declarations of the same group."""
    above = at - 1
    while above >= 0 and lines[above].strip() and not lines[above].rstrip().endswith("*/"):
        above -= 1
    return above


def undocumented(path):
    lines = tree.lines(path)
    for at, line in enumerate(lines):
        if not DECLARED.match(line) or line.rstrip().endswith("*/"):
            continue
        above = begins_group(lines, at)
        if above < 0 or not lines[above].rstrip().endswith("*/"):
            yield f"{path}:{at + 1}: no comment above: {line.strip()}"


def main():
    findings = []
    all_headers = tree.lines("include/tornado.h")
    for path in tree.files("include/*.h"):
        if not tree.lines(path)[0].startswith("/*"):
            findings.append(f"{path}:1: a header opens with a comment that says what it is")
        findings.extend(undocumented(path))
        if path.startswith("include/tornado/") and f"#include <{path[len('include/'):]}>" not in all_headers:
            findings.append(f"include/tornado.h: does not include {path}")
    tree.finish(findings)


if __name__ == "__main__":
    main()

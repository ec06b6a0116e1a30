#!/usr/bin/env python3
"""What the documents say about the source is true. Run by `make check`.

docs/life-of-a-request.md has tables of steps, each with a file and the functions it happens in: the file must exist and define
them. Every path of the source tree that README.md, CONTRIBUTING.md or docs/ mention must exist, too.
"""

import os
import re

import tree

WALK = "docs/life-of-a-request.md"
STEP = re.compile(r"\| `(src/[^`]+)` \| ((?:`\w+`(?:, )?)+) \|")
PATH = re.compile(r"`((?:src|include|tests|demos|bench|docs|scripts|cmake|fuzz)/[\w./-]*\w)`")


def defines(lines, function):
    """True when a line begins the definition of `function`: at the margin, and not ended by a semicolon."""
    beginning = re.compile(rf"^\w.*\b{function}\(")
    for at, line in enumerate(lines):
        if beginning.match(line):
            head = " ".join(lines[at : at + 6])
            if "{" in head and ";" not in head.split("{")[0]:
                return True
    return False


def check_steps():
    steps = 0
    for number, line in enumerate(tree.lines(WALK), 1):
        for path, functions in STEP.findall(line):
            steps += 1
            if not os.path.exists(os.path.join(tree.ROOT, path)):
                yield f"{WALK}:{number}: {path} does not exist"
                continue
            for function in re.findall(r"\w+", functions):
                if not defines(tree.lines(path), function):
                    yield f"{WALK}:{number}: {path} does not define {function}"
    if not steps:
        yield f"{WALK}: no step found; is the table still of the form that scripts/check_walk.py reads?"


def check_paths():
    for document in tree.files("README.md", "CONTRIBUTING.md", "docs/*.md"):
        for number, line in enumerate(tree.lines(document), 1):
            for path in PATH.findall(line):
                if not os.path.exists(os.path.join(tree.ROOT, path)):
                    yield f"{document}:{number}: {path} does not exist"


def main():
    findings = list(check_paths())
    if os.path.exists(os.path.join(tree.ROOT, WALK)):
        findings += check_steps()
    tree.finish(findings)


if __name__ == "__main__":
    main()

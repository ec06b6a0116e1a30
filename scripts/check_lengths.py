#!/usr/bin/env python3
"""No function over 70 lines, no file over 800. Run by `make check`.

Functions in C are found by their braces: `make format` puts both of a function's into the first column, alone on their lines.
"""

import ast
import os

import tree

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 800


def c_functions(lines):
    """(first line, length) of each function body, the lines of its braces counted."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            yield start, number - start + 1
            start = None


def python_functions(lines):
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno + 1


def main():
    findings = []
    for path in tree.files("*.c", "*.h", "*.S", "*.py", "*.sh"):
        lines = tree.lines(path)
        if len(lines) - 1 > FILE_LINES_MAX:
            findings.append(f"{path}: {len(lines) - 1} lines; at {FILE_LINES_MAX} we split, by concept")
        kind = os.path.splitext(path)[1]
        functions = {".c": c_functions, ".h": c_functions, ".py": python_functions}.get(kind, lambda lines: ())
        for line, length in functions(lines):
            if length > FUNCTION_LINES_MAX:
                findings.append(f"{path}:{line}: a function of {length} lines; {FUNCTION_LINES_MAX} is the limit")
    tree.finish(findings)


if __name__ == "__main__":
    main()

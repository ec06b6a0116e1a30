#!/usr/bin/env python3
"""Run the tests of a build directory with ctest and count what ran.

Usage: run_tests.py BUILD_DIR [ctest options]. Called by the Makefile and by CI. One ctest entry is a whole program of unit tests or
a whole run of the wire tests; the last line, "N passed, N failed", counts the single tests in them.
"""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

# What our two kinds of test programs print at their end: cmocka, and our own runners in Python.
CMOCKA_PASSED = re.compile(r"^\[  PASSED  \] (\d+) test", re.M)
CMOCKA_FAILED = re.compile(r"^\[  FAILED  \] \S+: (\d+) test|^\[  FAILED  \] (\d+) test", re.M)
OWN = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)


def count(case):
    """How many single tests of one ctest entry passed and failed; an entry that says nothing is one test."""
    output = case.findtext("system-out") or ""
    passed = failed = 0
    for match in CMOCKA_PASSED.finditer(output):
        passed += int(match[1])
    for match in CMOCKA_FAILED.finditer(output):
        failed += int(match[1] or match[2])
    for match in OWN.finditer(output):
        passed, failed = passed + int(match[1]), failed + int(match[2])
    if case.get("status") == "run":
        return max(passed, 1), failed
    return passed, max(failed, 1)  # it crashed, or could not be started


def main():
    build = sys.argv[1]
    junit = os.path.join(os.path.abspath(build), "tests.xml")
    if os.path.exists(junit):
        os.unlink(junit)
    command = ["ctest", "--test-dir", build, "--output-on-failure", "--no-tests=error", "--output-junit", junit]
    command += ["--test-output-size-passed", "10000000", "--test-output-size-failed", "10000000"]
    command += ["-j", str(os.cpu_count() or 2), *sys.argv[2:]]
    status = subprocess.run(command).returncode
    passed = failed = 0
    if os.path.exists(junit):
        for case in ET.parse(junit).getroot().iter("testcase"):
            if case.get("status") in ("run", "fail"):
                more_passed, more_failed = count(case)
                passed, failed = passed + more_passed, failed + more_failed
    if status and not failed:
        failed = 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or status else 0


if __name__ == "__main__":
    sys.exit(main())

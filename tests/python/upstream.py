"""Runs the tests which Tornado publishes inside its own package against ours.

    python tests/python/upstream.py                   # every module that README.md lists
    python tests/python/upstream.py gen_test          # some of them
    python tests/python/upstream.py --package DIR     # DIR/tornado, not the installed one or python/tornado

The wheel of the release is taken from PyPI into the build directory, once. A directory beside it then plays the package:
our modules as links, and the tests from the wheel. Modules that we do not have yet come from the wheel too: the tests of our
server need a client. Tests of such a module say nothing about us, and are not listed in README.md.

Each module runs in a process of its own, under the rules of Tornado's runner: warnings are errors, and whatever is logged
or printed to standard error without being expected counts as a failure, named ``<module>.stray_output``. What fails is
compared with the list in README.md. This program fails when a test fails that is not listed there, and when one passes
that is.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

RELEASE = "6.5.7"
HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
README = HERE / "README.md"
TIMEOUT_S = 300


def fetch_wheel(build: Path) -> Path:
    """Return the wheel of the release, from the build directory if it is there already."""
    directory = build / "upstream"
    found = sorted(directory.glob(f"tornado-{RELEASE}-*.whl"))
    if not found:
        directory.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*command, "--dest", str(directory), f"tornado=={RELEASE}"], check=True)
        found = sorted(directory.glob(f"tornado-{RELEASE}-*.whl"))
    return found[0]


def our_package() -> Path:
    """Return the directory that holds our package: where it is installed, or else the one in this tree."""
    try:
        ours = distribution("tornado")
    except PackageNotFoundError:
        return ROOT / "python"
    # The original has no part of its own behind the plus sign.
    return Path(str(ours.locate_file(""))) if "+c." in ours.version else ROOT / "python"


def make_overlay(build: Path, package: Path) -> Path:
    """Lay our package and the tests of the wheel into one; return the directory that holds it."""
    overlay = build / "upstream" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    shutil.rmtree(overlay, ignore_errors=True)
    target = overlay / "tornado"
    target.mkdir(parents=True)
    for entry in package.iterdir():
        if entry.name not in ("test", "__pycache__", "platform"):
            (target / entry.name).symlink_to(entry)
    (target / "platform").mkdir()
    for entry in (package / "platform").iterdir():
        if entry.name != "__pycache__":
            (target / "platform" / entry.name).symlink_to(entry)
    with zipfile.ZipFile(fetch_wheel(build)) as wheel:
        stand_ins = [f"tornado/{module.replace('.', '/')}.py" for module in not_built(package)]
        for name in wheel.namelist():
            if name.startswith("tornado/test/") or (name in stand_ins and not (overlay / name).exists()):
                wheel.extract(name, overlay)
    return overlay


def not_built(package: Path) -> list[str]:
    """Return the names that our package says it does not have."""
    code = "import tornado; print(*sorted(tornado._NOT_BUILT))"
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    ).stdout.split()


def table(heading: str) -> list[list[str]]:
    """Return the rows of the table below a heading of README.md."""
    section = README.read_text().split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [re.split(r"\s*\|\s*", line.strip("| ")) for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def expected_failures() -> dict[str, str]:
    """Return the tests that are listed for this version of Python, and why they fail."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return {
        test.strip("`"): reason
        for test, versions, reason in table("Expected failures")
        if versions == "all" or version in versions.split()
    }


def run_module(overlay: Path, module: str) -> dict[str, str]:
    """Run one module of tests and return the outcome of each test by name."""
    environment = {**os.environ, "PYTHONPATH": str(overlay)}
    command = [sys.executable, "-W", "error", "-W", "ignore::ImportWarning", __file__, "--inside", module]
    try:
        done = subprocess.run(
            command, env=environment, cwd=overlay, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return {f"{module}.*": "error: the process did not end"}
    match = re.search(r"^OUTCOMES (.*)$", done.stdout, re.MULTILINE)
    if match is None:
        return {f"{module}.*": "error: the process broke down\n" + done.stdout[-2000:] + done.stderr[-4000:]}
    outcomes: dict[str, str] = json.loads(match[1])
    return outcomes


def compare(outcomes: dict[str, str], expected: dict[str, str]) -> list[str]:
    """Return a line of complaint for each outcome that README.md says otherwise of."""
    complaints = []
    for test, outcome in outcomes.items():
        failed = outcome not in ("ok", "skipped")
        if failed and test not in expected:
            complaints.append(f"FAILS, NOT LISTED: {test}\n{outcome}")
        if outcome == "ok" and test in expected:
            complaints.append(f"PASSES, BUT LISTED: {test}")
    return complaints


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("modules", nargs="*", help="names such as gen_test; default: all that README.md lists")
    parser.add_argument("--package", type=Path, default=our_package(), help="directory that holds our tornado")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="where the wheel is kept")
    parser.add_argument("--verbose", action="store_true", help="show whole tracebacks")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return run_inside(options.inside)

    modules = options.modules or [row[0].strip("`") for row in table("Modules")]
    expected = expected_failures()
    overlay = make_overlay(options.build.resolve(), options.package.resolve() / "tornado")
    complaints: list[str] = []
    for module in modules:
        outcomes = run_module(overlay, module)
        failed = sum(outcome not in ("ok", "skipped") for outcome in outcomes.values())
        skipped = sum(outcome == "skipped" for outcome in outcomes.values())
        found = compare(outcomes, expected)
        print(f"{module}: {len(outcomes)} tests, {skipped} skipped, {failed} failed, {len(found)} unexpected", flush=True)
        complaints += found
    for complaint in complaints:
        lines = complaint.strip().splitlines()
        print("\n".join(lines if options.verbose else [lines[0], *("    " + line for line in lines[1:][-1:])]))
    return 1 if complaints else 0


class Outcomes(unittest.TestResult):
    """Writes down how each test ended."""

    def __init__(self) -> None:
        super().__init__()
        self.by_name: dict[str, str] = {}

    def note(self, test: unittest.TestCase, outcome: str) -> None:
        name = test.id().removeprefix("tornado.test.")
        # What could not be imported has no name of its own.
        name = name.removeprefix("unittest.loader._FailedTest.").removeprefix("tornado.test.")
        self.by_name[name] = outcome

    def addSuccess(self, test: unittest.TestCase) -> None:
        self.by_name.setdefault(test.id().removeprefix("tornado.test."), "ok")

    def addFailure(self, test: unittest.TestCase, err: object) -> None:
        self.note(test, "failure: " + self._exc_info_to_string(err, test))  # type: ignore[attr-defined]

    def addError(self, test: unittest.TestCase, err: object) -> None:
        self.note(test, "error: " + self._exc_info_to_string(err, test))  # type: ignore[attr-defined]

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: object) -> None:
        if err is not None:
            self.note(test, "failure: " + self._exc_info_to_string(err, test))  # type: ignore[attr-defined]

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        if reason != "abstract base class":
            self.note(test, "skipped")


def run_inside(module: str) -> int:
    """In the process of one module: run it, and print the outcomes as a line of JSON."""
    import io
    import logging
    import warnings

    # The directory of this program is no place to import from.
    sys.path.remove(str(HERE))
    import tornado.options

    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("error", category=DeprecationWarning, module=r"tornado\..*")
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
    stray = io.StringIO()
    tornado.options.parse_command_line(["upstream.py", "--log_to_stderr"])
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stray)
    stderr, sys.stderr = sys.stderr, stray

    result = Outcomes()
    suite = unittest.defaultTestLoader.loadTestsFromName(f"tornado.test.{module}")
    suite.run(result)
    sys.stderr = stderr
    if stray.getvalue():
        result.by_name[f"{module}.stray_output"] = "failure: " + stray.getvalue()
    print("\nOUTCOMES " + json.dumps(result.by_name), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

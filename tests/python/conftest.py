"""Lets the tests find the package: ours if it is installed, or else the one in this tree.

The original may be installed as well; its version has no part of its own behind the plus sign.
"""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

try:
    installed = "+c." in version("tornado")
except PackageNotFoundError:
    installed = False
if not installed:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "python"))

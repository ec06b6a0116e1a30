"""Lets the tests find the package: the one that is installed, or else the one in this tree."""

import importlib.util
import sys
from pathlib import Path

if importlib.util.find_spec("tornado") is None:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "python"))

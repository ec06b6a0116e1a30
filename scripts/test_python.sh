#!/bin/sh
# The tests of the Python package, against what `make python` has installed into build/venv: our own, the wire tests, and the tests
# that Tornado publishes inside its package.
set -u
cd "$(dirname "$0")/.."
python=build/venv/bin/python
status=0

$python -c 'import pytest' 2> /dev/null || build/venv/bin/pip install --quiet pytest

echo "== our own tests"
$python -m pytest -q tests/python || status=1

echo "== wire tests"
$python tests/wire/run.py --face python --server "$PWD/$python $PWD/demos/python/probe.py" || status=1

echo "== Tornado's own tests"
$python tests/python/upstream.py || status=1

exit $status

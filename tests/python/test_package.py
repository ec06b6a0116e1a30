"""The package itself: what it exports, what it does not have, and that importing it is harmless."""

import doctest
import importlib
import importlib.util
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
import tornado

needs_engine = pytest.mark.skipif(
    importlib.util.find_spec("tornado._engine") is None, reason="the extension is not built"
)


def run(code):
    directory = str(Path(tornado.__file__).parent.parent)
    program = f"import sys; sys.path.insert(0, {directory!r})\n{code}"
    return subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)


def test_a_module_that_is_not_built_says_so_in_one_sentence():
    for name in tornado._NOT_BUILT:
        with pytest.raises(ModuleNotFoundError) as e:
            importlib.import_module(f"tornado.{name}")
        assert str(e.value) == (
            f"tornado.{name} is not built yet: Tornado in C {tornado.version} does not have this module."
        )
        assert e.value.name == f"tornado.{name}"


def test_the_list_of_modules_not_built_names_none_that_exist():
    directory = Path(tornado.__file__).parent
    assert [name for name in tornado._NOT_BUILT if (directory / (name.replace(".", "/") + ".py")).exists()] == []


def test_a_module_that_nobody_knows_fails_as_usual():
    with pytest.raises(ModuleNotFoundError, match="No module named 'tornado.nonsense'"):
        importlib.import_module("tornado.nonsense")
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        tornado.nonsense  # noqa: B018


@needs_engine
def test_all_names_what_can_be_imported():
    for name in tornado.__all__:
        assert importlib.import_module(f"tornado.{name}") is getattr(tornado, name)


def test_importing_the_package_imports_nothing_else():
    done = run("import tornado; print(sorted(m for m in sys.modules if m.startswith('tornado')))")
    assert done.stdout.strip() == "['tornado']", done.stderr


@needs_engine
def test_importing_everything_makes_no_event_loop_and_no_warning():
    done = run(
        "import asyncio, importlib, tornado\n"
        "asyncio.new_event_loop = asyncio.get_event_loop = None\n"
        "for name in tornado.__all__: importlib.import_module('tornado.' + name)\n"
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_version_is_that_of_the_release_it_stands_for():
    assert tornado.version == "6.5.7"
    assert tornado.version_info == (6, 5, 7, 0)


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(tornado.__path__)])
def test_the_examples_in_docstrings_hold(name):
    try:
        module = importlib.import_module(f"tornado.{name}")
    except ImportError as e:
        pytest.skip(str(e))
    assert doctest.testmod(module).failed == 0

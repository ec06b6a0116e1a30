"""Starts the program anew when its source changes.

Most programs do not name this module: ``Application(autoreload=True)``, which ``debug=True`` implies, and a server on one
process are enough. It does not work together with several processes.

It can also be wrapped around another program, a server or a set of tests, which is then run again after it has ended,
even by an error in its syntax:

.. code-block:: console

    $ python -m tornado.autoreload -m mypackage.server --port=8888
    $ python -m tornado.autoreload tests.py
    $ python -m tornado.autoreload --until-success tests.py

The last form stops when the program ends without an error. The program is started anew by replacing the process with the
same command line, options of the interpreter included; what must not be inherited is let go by `add_reload_hook`.
"""

import functools
import importlib.util
import os
import runpy
import signal
import subprocess
import sys
import traceback
import types
import weakref
from collections.abc import Callable

from tornado import process
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.log import gen_log

_USAGE = """\
usage: python -m tornado.autoreload [--until-success] -m module [args...]
       python -m tornado.autoreload [--until-success] script [args...]"""

_watched_files: set[str] = set()
_reload_hooks: list[Callable[[], None]] = []
_reload_attempted = False
_io_loops: "weakref.WeakSet[IOLoop]" = weakref.WeakSet()


def start(check_time: int = 500) -> None:
    """Begin to watch the source files, from the current loop.

    .. code-block:: python

        async def main():
            tornado.autoreload.start()
            tornado.autoreload.watch("config.json")
            await asyncio.Event().wait()

    ``check_time``: how often to look, in milliseconds.

    .. versionchanged:: 5.0
       The ``io_loop`` argument was removed.
    """
    io_loop = IOLoop.current()
    if io_loop in _io_loops:
        return
    _io_loops.add(io_loop)
    if len(_io_loops) > 1:
        gen_log.warning("tornado.autoreload started more than once in the same process")
    PeriodicCallback(functools.partial(_reload_on_update, {}), check_time).start()


def wait() -> None:
    """Wait until a source file changes, and start the program anew then. For the end of a program without a loop.

    .. code-block:: python

        if __name__ == "__main__":
            run_tests()
            tornado.autoreload.wait()
    """
    io_loop = IOLoop(make_current=False)
    io_loop.add_callback(start)
    io_loop.start()


def watch(filename: str) -> None:
    """Watch a file besides those of the modules that are imported."""
    _watched_files.add(filename)


def add_reload_hook(fn: Callable[[], None]) -> None:
    """Call ``fn()`` before the program is started anew.

    Open files are closed by the system, unless they were made inheritable. What is left to do here is for instance to end
    the child processes.
    """
    _reload_hooks.append(fn)


def _reload_on_update(modify_times: dict[str, float]) -> None:
    if _reload_attempted:
        # It did not work, and it will not the next time.
        return
    if process.task_id() is not None:
        # One of several workers. Were each to start anew, each would fork all of them again.
        return
    for module in list(sys.modules.values()):
        # There are odd things among them, which do not take it well to be asked for attributes.
        if not isinstance(module, types.ModuleType):
            continue
        path = getattr(module, "__file__", None)
        if path:
            _check_file(modify_times, path[:-1] if path.endswith(".pyc") else path)
    for path in list(_watched_files):
        _check_file(modify_times, path)


def _check_file(modify_times: dict[str, float], path: str) -> None:
    try:
        modified = os.stat(path).st_mtime
    except (OSError, ValueError):
        return
    if modify_times.setdefault(path, modified) != modified:
        gen_log.info("%s modified; restarting server", path)
        _reload()


def _reload() -> None:
    global _reload_attempted
    _reload_attempted = True
    for fn in _reload_hooks:
        fn()
    if sys.platform != "win32":
        # A timer survives the exec, but not the handler for its signal.
        signal.setitimer(signal.ITIMER_REAL, 0, 0)
    # An embedding program may have no command line of Python's; then what the program sees must do.
    command = [sys.executable, *(sys.orig_argv[1:] or sys.argv)]
    sys.stdout.flush()
    sys.stderr.flush()
    if sys.platform == "win32":
        # There, exec makes a new process and lets the shell believe that the program has ended.
        subprocess.Popen(command)
        os._exit(0)
    os.execv(sys.executable, command)


def main() -> None:
    """Run another program, as the command line says, and run it anew when its source changes."""
    until_success, module, script, rest = _parse_arguments(sys.argv[1:])
    original_argv = sys.argv
    sys.argv = [script or original_argv[0], *rest]
    status: object = 1
    try:
        if module is not None:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(script, run_name="__main__")
        status = 0
        gen_log.info("Script exited normally")
    except SystemExit as e:
        status = e.code
        gen_log.info("Script exited with status %s", e.code)
    except Exception as e:
        gen_log.warning("Script exited with uncaught exception", exc_info=True)
        _watch_traceback(e)
    sys.argv = original_argv
    if module is not None:
        _watch_module(module)
    else:
        watch(script)
    if until_success and not status:
        return
    wait()


def _parse_arguments(args: list[str]) -> tuple[bool, str | None, str, list[str]]:
    """Return what `main` is asked to do. Options behind the module or script are that one's own."""
    until_success = bool(args) and args[0] == "--until-success"
    if until_success:
        args = args[1:]
    if len(args) >= 2 and args[0] == "-m":
        return until_success, args[1], "", args[2:]
    if args and not args[0].startswith("-"):
        return until_success, None, args[0], args[1:]
    print(_USAGE, file=sys.stderr)
    sys.exit(0 if args in (["-h"], ["--help"]) else 1)


def _watch_traceback(error: BaseException) -> None:
    """Watch the files an exception came through. A module that failed is not among the imported ones."""
    for frame in traceback.extract_tb(error.__traceback__):
        watch(frame.filename)
    if isinstance(error, SyntaxError) and error.filename is not None:
        # No code of that file has run, so it has no frame.
        watch(error.filename)


def _watch_module(name: str) -> None:
    """Watch a module that was run as the main one, and so is not among the imported ones."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return
    if spec is not None and spec.origin is not None:
        watch(spec.origin)
        if spec.submodule_search_locations is not None:
            watch(os.path.join(os.path.dirname(spec.origin), "__main__.py"))


if __name__ == "__main__":
    # There must be one module with this state, and programs know it by its proper name.
    from tornado import autoreload

    autoreload.main()

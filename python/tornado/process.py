"""Several processes for one server, and child processes whose pipes and end can be waited for."""

import asyncio
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from subprocess import PIPE as PIPE
from subprocess import STDOUT as STDOUT
from subprocess import CalledProcessError as CalledProcessError
from typing import TYPE_CHECKING, Any, cast

from tornado.concurrent import Future, future_set_exception_unless_cancelled, future_set_result_unless_cancelled
from tornado.ioloop import IOLoop
from tornado.log import gen_log

if TYPE_CHECKING:
    from tornado.iostream import PipeIOStream


def cpu_count() -> int:
    """Return the number of processors of this machine."""
    try:
        return multiprocessing.cpu_count()
    except NotImplementedError:
        gen_log.error("Could not detect number of processors; assuming 1")
        return 1


_task_id: int | None = None


def fork_processes(num_processes: int | None, max_restarts: int | None = None) -> int:
    """Fork worker processes and return, in each, its number from 0 on.

    .. code-block:: python

        sockets = bind_sockets(8888)
        fork_processes(0)

        async def main():
            server = HTTPServer(app)
            server.add_sockets(sockets)
            await asyncio.Event().wait()

        asyncio.run(main())

    ``num_processes``: how many; the number of processors for ``None``, zero and below.

    ``max_restarts``: how many times in all a worker is started anew, with the number of one that ended by a signal or with
    a status other than zero; 100 if not given.

    The calling process stays and looks after the workers. It does not return: it exits with status 0 when all of them
    have ended well, and raises `RuntimeError` when ``max_restarts`` is exceeded.

    No event loop may exist yet, because processes cannot share one: make it in the worker. Not available on Windows.

    .. versionchanged:: 6.0
       Added ``max_restarts``.
    """
    if sys.platform == "win32":
        raise RuntimeError("fork not available on windows")
    if max_restarts is None:
        max_restarts = 100
    assert _task_id is None, "a worker cannot fork workers"
    if num_processes is None or num_processes <= 0:
        num_processes = cpu_count()
    gen_log.info("Starting %d processes", num_processes)
    children: dict[int, int] = {}
    for number in range(num_processes):
        if _start_child(number, children):
            return number
    restarts = 0
    while children:
        pid, status = os.wait()
        if pid not in children:
            continue
        number = children.pop(pid)
        if _ended_well(number, pid, status):
            continue
        restarts += 1
        if restarts > max_restarts:
            raise RuntimeError("Too many child restarts, giving up")
        if _start_child(number, children):
            return number
    # Whoever called this expects to be a worker from here on; there is nothing left to do as one.
    sys.exit(0)


def _start_child(number: int, children: dict[int, int]) -> bool:
    """Fork, and tell whether this is the child."""
    global _task_id
    pid = os.fork()
    if pid == 0:
        _reseed_random()
        _task_id = number
        return True
    children[pid] = number
    return False


def _reseed_random() -> None:
    """Keep the children from all drawing the same numbers."""
    try:
        seed = int.from_bytes(os.urandom(16), "big")
    except NotImplementedError:
        seed = int(time.time() * 1000) ^ os.getpid()
    random.seed(seed)


def _ended_well(number: int, pid: int, status: int) -> bool:
    if os.WIFSIGNALED(status):
        gen_log.warning("child %d (pid %d) killed by signal %d, restarting", number, pid, os.WTERMSIG(status))
        return False
    if os.WEXITSTATUS(status) != 0:
        gen_log.warning("child %d (pid %d) exited with status %d, restarting", number, pid, os.WEXITSTATUS(status))
        return False
    gen_log.info("child %d (pid %d) exited normally", number, pid)
    return True


def task_id() -> int | None:
    """Return the number of this process among those of `fork_processes`, or ``None`` in any other process."""
    return _task_id


class Subprocess:
    """A child process: `subprocess.Popen` with streams, and an end that can be waited for.

    .. code-block:: python

        process = Subprocess(["date"], stdout=Subprocess.STREAM)
        text = await process.stdout.read_until_close()
        await process.wait_for_exit()

    The arguments are those of `subprocess.Popen`, and ``stdin``, ``stdout`` and ``stderr`` may be ``Subprocess.STREAM``
    besides; the attribute of that name is then a `.PipeIOStream`. The underlying object is the attribute ``proc``.

    Waiting for the end uses the signal SIGCHLD, which asyncio's loop must be able to handle: it must run on the main
    thread. Not available on Windows.

    .. versionchanged:: 5.0
       The ``io_loop`` argument was removed.
    """

    STREAM = object()

    _initialized = False
    _waiting: "dict[int, Subprocess]" = {}

    stdin: "PipeIOStream | None"
    stdout: "PipeIOStream | None"
    stderr: "PipeIOStream | None"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.io_loop = IOLoop.current()
        streams = [name for name in ("stdin", "stdout", "stderr") if kwargs.get(name) is Subprocess.STREAM]
        ours: dict[str, int] = {}
        theirs: list[int] = []
        try:
            for name in streams:
                read_end, write_end = os.pipe()
                ours[name], their_end = (write_end, read_end) if name == "stdin" else (read_end, write_end)
                theirs.append(their_end)
                kwargs[name] = their_end
            self.proc = subprocess.Popen(*args, **kwargs)
        except BaseException:
            for fd in ours.values():
                os.close(fd)
            raise
        finally:
            for fd in theirs:
                os.close(fd)
        self.pid = self.proc.pid
        for name in ("stdin", "stdout", "stderr"):
            setattr(self, name, _pipe_stream(ours[name]) if name in ours else getattr(self.proc, name))
        self._exit_callback: Callable[[int], Any] | None = None
        self.returncode: int | None = None

    def set_exit_callback(self, callback: Callable[[int], Any]) -> None:
        """Call ``callback(returncode)`` when the process has ended.

        The return code is the negative number of the signal if it ended by one.
        """
        self._exit_callback = callback
        Subprocess.initialize()
        Subprocess._waiting[self.pid] = self
        # It may have ended before anybody listened for the signal.
        Subprocess._try_cleanup_process(self.pid)

    def wait_for_exit(self, raise_error: bool = True) -> "Future[int]":
        """Return a future of the return code.

        ``raise_error``: raise `CalledProcessError` when it is not zero.

        .. versionadded:: 4.2
        """
        future: Future[int] = Future()

        def on_exit(returncode: int) -> None:
            if returncode != 0 and raise_error:
                error = CalledProcessError(returncode, cast(Any, self.proc.args))
                future_set_exception_unless_cancelled(future, error)
            else:
                future_set_result_unless_cancelled(future, returncode)

        self.set_exit_callback(on_exit)
        return future

    @classmethod
    def initialize(cls) -> None:
        """Listen for SIGCHLD on the current loop.

        `set_exit_callback` and `wait_for_exit` do this when need be.
        """
        if cls._initialized:
            return
        loop = asyncio.get_event_loop()
        loop.add_signal_handler(signal.SIGCHLD, cls._cleanup)
        cls._initialized = True

    @classmethod
    def uninitialize(cls) -> None:
        """Listen for SIGCHLD no longer."""
        if not cls._initialized:
            return
        loop = asyncio.get_event_loop()
        loop.remove_signal_handler(signal.SIGCHLD)
        cls._initialized = False

    @classmethod
    def _cleanup(cls) -> None:
        # One signal may stand for several children.
        for pid in list(cls._waiting):
            cls._try_cleanup_process(pid)

    @classmethod
    def _try_cleanup_process(cls, pid: int) -> None:
        try:
            ended, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            return
        if ended == 0:
            return
        process = cls._waiting.pop(pid)
        process.io_loop.add_callback(process._set_returncode, status)

    def _set_returncode(self, status: int) -> None:
        self.returncode = os.waitstatus_to_exitcode(status)
        # Popen would warn, when it is deleted, of a child that it does not know has ended.
        self.proc.returncode = self.returncode
        if self._exit_callback is not None:
            callback = self._exit_callback
            self._exit_callback = None
            callback(self.returncode)


def _pipe_stream(fd: int) -> "PipeIOStream":
    from tornado.iostream import PipeIOStream

    return PipeIOStream(fd)

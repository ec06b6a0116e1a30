"""The engine beneath an asyncio loop: one `Core` for each loop and process, made when it is first needed.

Everything in this package that does its I/O in the engine comes here for its `Core`. The asyncio loop watches one
descriptor, the engine's; it is never asked for a timer.
"""

import asyncio
import logging
import os
import weakref

from tornado import _engine
from tornado.log import access_log, app_log, gen_log

_cores: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _engine.Core]" = weakref.WeakKeyDictionary()


def core_of(loop: asyncio.AbstractEventLoop) -> "_engine.Core":
    """Return the engine's loop beneath an asyncio loop.

    After a fork the child gets one of its own: what the engine has registered with the system is its parent's.
    """
    core = _cores.get(loop)
    if core is None or core.pid != os.getpid():
        core = _engine.Core(loop)
        loop.add_reader(core.fileno(), core.poll)
        _cores[loop] = core
    return core


_engine.bind(
    access_log=access_log,
    app_log=app_log,
    gen_log=gen_log,
    # Where a plain logger remembers which levels are enabled.
    access_log_cache=access_log._cache if type(access_log) is logging.Logger else None,  # type: ignore[attr-defined]
    task=asyncio.Task,
    future=asyncio.Future,
    cancelled_error=asyncio.CancelledError,
)

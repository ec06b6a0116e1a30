"""Tasks for requests: made only when a handler really waits.

A coroutine that answers without waiting needs no `asyncio.Task`, but the code in it may ask for one: `asyncio.timeout`,
task groups and much else look at `asyncio.current_task`. So during the first step of a request the current task is a
`DeferredTask`, a Task object that was allocated and not initialised. It becomes a real one at the first moment that
somebody looks at it or that the coroutine waits; if neither happens, the same object serves the next request.
"""

import asyncio
import asyncio.tasks
import sys
from typing import Any, Optional

from tornado import _engine


class DeferredTask(asyncio.Task):  # type: ignore[type-arg]
    """A Task of a request, possibly not begun. The engine makes these without calling the class."""

    # The engine's coroutine, as long as this object is not initialised.
    __slots__ = ("_driver",)

    def _begin(self) -> None:
        """Become a real task, unless that has happened."""
        driver = self._driver
        if driver is not None:
            self._driver = None
            # In the context of the request itself, so that a ContextVar may be reset after a wait.
            asyncio.Task.__init__(self, driver, loop=asyncio.get_running_loop(), context=driver.context)


def _guard(name: str) -> Any:
    """Return the attribute of Task with that name, so made that using it begins the task first."""
    original = getattr(asyncio.Task, name)
    if callable(original):

        def method(self: DeferredTask, *args: Any, **kwargs: Any) -> Any:
            self._begin()
            return original(self, *args, **kwargs)

        method.__name__ = name
        return method

    def get(self: DeferredTask) -> Any:
        self._begin()
        return original.__get__(self)

    def set(self: DeferredTask, value: Any) -> None:
        self._begin()
        original.__set__(self, value)

    return property(get, set)


# What must be left alone: the object's life, and what asks for nothing.
_UNGUARDED = frozenset(("__class_getitem__", "__init__", "__new__", "__del__"))

for _name in dir(asyncio.Task):
    if _name in _UNGUARDED or getattr(object, _name, None) is getattr(asyncio.Task, _name):
        continue
    if not _name.startswith("__") or _name in ("__await__", "__iter__", "__repr__"):
        setattr(DeferredTask, _name, _guard(_name))
del _name


def make_task(loop: Optional[asyncio.AbstractEventLoop], driver: Any) -> "asyncio.Task[None]":
    """Run a request in an ordinary task: for loops with a task factory, and where deferred ones were not tested."""
    if loop is None:
        loop = asyncio.get_running_loop()
    if sys.version_info >= (3, 11):
        return loop.create_task(driver, context=driver.context)
    return loop.create_task(driver)


# The versions on which an uninitialised Task was tried. 3.10 has tasks that cannot be given their context.
_TESTED = (3, 11) <= sys.version_info[:2] <= (3, 13)

_engine.bind(
    deferred_task=DeferredTask if _TESTED else None,
    enter_task=asyncio.tasks._enter_task,
    leave_task=asyncio.tasks._leave_task,
    make_task=make_task,
)

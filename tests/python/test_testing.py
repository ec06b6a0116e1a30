import asyncio
import logging
import socket
import ssl
import unittest
import warnings

import pytest
from tornado import gen
from tornado.testing import AsyncHTTPSTestCase, AsyncTestCase, ExpectLog, bind_unused_port, gen_test, get_async_test_timeout


def run(method, base=AsyncTestCase):
    """Run a method as the test of a case; return the result and the case."""
    kind = type("Case", (base,), {"test": method})
    case, result = kind("test"), unittest.TestResult()
    case.run(result)
    return result, case


def test_a_port_is_free_and_listens():
    sock, port = bind_unused_port()
    with sock, socket.create_connection(("127.0.0.1", port)):
        assert sock.getblocking() is False


def test_the_timeout_comes_from_the_environment(monkeypatch):
    monkeypatch.delenv("ASYNC_TEST_TIMEOUT", raising=False)
    assert get_async_test_timeout() == 5
    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "0.5")
    assert get_async_test_timeout() == 0.5
    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "soon")
    assert get_async_test_timeout() == 5


def test_the_value_of_stop_is_that_of_wait():
    values = []

    def test(self):
        self.io_loop.add_callback(self.stop, 1)
        values.append(self.wait())
        self.stop(x=2)
        values.append(self.wait())

    result, _ = run(test)
    assert result.wasSuccessful() and values == [1, {"x": 2}]


def test_wait_goes_on_until_its_condition_holds():
    calls = []

    def test(self):
        def step():
            calls.append(1)
            self.stop()
            self.io_loop.call_later(0.001, step)

        self.io_loop.add_callback(step)
        self.wait(lambda: len(calls) >= 3)

    result, _ = run(test)
    assert result.wasSuccessful() and len(calls) == 3


def test_waiting_too_long_fails_the_test():
    result, _ = run(lambda self: self.wait(timeout=0.01))
    assert "Async operation timed out after 0.01 seconds" in result.failures[0][1]


@pytest.mark.parametrize("kind", ["generator", "coroutine"])
def test_a_timeout_shows_the_line_that_waits_in_a_generator(kind):
    if kind == "generator":

        @gen_test(timeout=0.01)
        def test(self):
            yield gen.sleep(10)  # here

    else:

        @gen_test(timeout=0.01)
        async def test(self):
            await gen.sleep(10)

    result, _ = run(test)
    assert "Operation timed out after 0.01 seconds" in result.errors[0][1]
    assert kind == "coroutine" or "yield gen.sleep(10)  # here" in result.errors[0][1]


def test_tasks_left_over_are_ended_in_their_loop():
    ends = []

    async def linger():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            ends.append("cancelled")
            raise

    @gen_test
    async def test(self):
        self.task = asyncio.ensure_future(linger())
        await asyncio.sleep(0)

    result, case = run(test)
    assert result.wasSuccessful() and ends == ["cancelled"]
    assert case.io_loop.asyncio_loop.is_closed()


def test_the_loop_of_a_test_is_the_current_one():
    def test(self):
        assert asyncio.get_event_loop() is self.io_loop.asyncio_loop

    assert run(test)[0].wasSuccessful()


def test_an_expected_line_is_kept_out_of_the_log(caplog):
    logger = logging.getLogger("tornado.general")
    with ExpectLog(logger, "expected") as log:
        logger.warning("expected indeed")
        logger.warning("something else")
    assert [r.getMessage() for r in caplog.records] == ["something else"]
    assert log.matched == 1 and not log.logged_stack


def test_a_line_that_does_not_come_is_an_error_unless_it_need_not():
    with pytest.raises(Exception, match="did not get expected log message"):
        with ExpectLog("tornado.general", "expected"):
            pass
    with ExpectLog("tornado.general", "expected", required=False):
        pass


def test_an_exception_is_not_hidden_by_a_line_that_did_not_come():
    with pytest.raises(ZeroDivisionError):
        with ExpectLog("tornado.general", "expected"):
            raise ZeroDivisionError


def test_a_level_is_let_through_and_then_set_back():
    logger = logging.getLogger("tornado.test_level")
    logger.setLevel(logging.ERROR)
    with ExpectLog(logger, "quiet", level=logging.DEBUG):
        logger.debug("quiet")
    assert logger.level == logging.ERROR


def test_the_wrong_level_does_not_count():
    logger = logging.getLogger("tornado.test_wrong_level")
    with pytest.raises(Exception, match="did not get expected"):
        with ExpectLog(logger, "line", level=logging.INFO):
            logger.error("line")


def test_a_quiet_line_without_a_level_is_deprecated():
    logger = logging.getLogger("tornado.test_quiet")
    logger.setLevel(logging.INFO)
    with pytest.warns(DeprecationWarning), ExpectLog(logger, "line"):
        logger.info("line")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with ExpectLog(logger, "line"):
            logger.info("line")
            logger.warning("line")


def test_gen_test_passes_arguments_and_keeps_the_name():
    seen = []

    @gen_test
    async def test(self, x=1):
        """The docstring."""
        seen.append(x)

    assert test.__doc__ == "The docstring." and test.__wrapped__.__name__ == "test"
    assert run(test)[0].wasSuccessful()
    assert seen == [1]


def test_the_certificate_for_tests_can_be_loaded():
    options = AsyncHTTPSTestCase.default_ssl_options()
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(**options)

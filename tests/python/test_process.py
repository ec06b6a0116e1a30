import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import tornado
from tornado.process import CalledProcessError, Subprocess, cpu_count, task_id

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")


def run_program(code):
    """Run a program that forks; return its status and what it wrote."""
    prelude = (
        f"import sys, os, signal; sys.path.insert(0, {str(Path(tornado.__file__).parent.parent)!r})\n"
        "signal.alarm(20)\n"
        "import logging; logging.basicConfig(level='INFO', format='%(name)s %(levelname)s %(message)s', stream=sys.stdout)\n"
        "from tornado.process import fork_processes, task_id\n"
        # Processes share the pipe, so each line must be one write.
        "def say(*words): os.write(1, (' '.join(map(str, words)) + '\\n').encode())\n"
    )
    done = subprocess.run([sys.executable, "-c", prelude + code], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout, done.stderr


def test_there_is_at_least_one_processor():
    assert cpu_count() >= 1


def test_outside_of_workers_there_is_no_task_id():
    assert task_id() is None


def test_the_parent_exits_when_all_workers_have_ended_well():
    status, out, err = run_program("n = fork_processes(3); assert n == task_id(); say('worker', n)")
    assert (status, err) == (0, "")
    assert sorted(line for line in out.splitlines() if line.startswith("worker")) == ["worker 0", "worker 1", "worker 2"]
    assert "tornado.general INFO Starting 3 processes" in out
    assert out.count("exited normally") == 3


def test_a_worker_that_fails_is_started_again_with_its_number(tmp_path):
    flag = tmp_path / "flag"
    status, out, _ = run_program(
        f"n = fork_processes(2)\nif n == 1 and not os.path.exists({str(flag)!r}):\n"
        f"    open({str(flag)!r}, 'w').close(); os._exit(3)\nsay('worker', n)"
    )
    assert status == 0
    assert "WARNING child 1 (pid " in out and "exited with status 3, restarting" in out
    assert out.count("worker 1") == 1


def test_a_worker_that_dies_by_a_signal_is_started_again(tmp_path):
    flag = tmp_path / "flag"
    status, out, _ = run_program(
        f"n = fork_processes(1)\nif not os.path.exists({str(flag)!r}):\n"
        f"    open({str(flag)!r}, 'w').close(); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert status == 0
    assert "killed by signal 9, restarting" in out


def test_too_many_restarts_are_an_error():
    status, out, err = run_program("fork_processes(1, max_restarts=2); os._exit(1)")
    assert status == 1
    assert "RuntimeError: Too many child restarts, giving up" in err
    assert out.count("restarting") == 3


def test_workers_do_not_draw_the_same_random_numbers():
    _, out, _ = run_program("import random; random.seed(1); fork_processes(2); say('drew', random.random())")
    drawn = [line for line in out.splitlines() if line.startswith("drew")]
    assert len(set(drawn)) == 2


def test_workers_cannot_fork_workers():
    _, out, err = run_program("fork_processes(1)\ntry: fork_processes(1)\nexcept AssertionError: say('refused')")
    assert "refused" in out


def test_an_end_before_anybody_waits_is_not_missed():
    async def main():
        process = Subprocess([sys.executable, "-c", "raise SystemExit(3)"])
        # Reaped by nobody yet, but ended.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(CalledProcessError) as e:
            await asyncio.wait_for(process.wait_for_exit(), 5)
        assert e.value.returncode == 3
        assert process.returncode == 3
        Subprocess.uninitialize()

    asyncio.run(main())


def test_death_by_a_signal_is_a_negative_return_code():
    async def main():
        process = Subprocess([sys.executable, "-c", "import time; time.sleep(30)"])
        future = process.wait_for_exit(raise_error=False)
        os.kill(process.pid, signal.SIGTERM)
        assert await asyncio.wait_for(future, 5) == -signal.SIGTERM
        Subprocess.uninitialize()

    asyncio.run(main())


def test_a_program_that_cannot_be_started_leaves_no_descriptor():
    async def main():
        before = set(os.listdir("/proc/self/fd"))
        with pytest.raises(FileNotFoundError):
            Subprocess(["/no/such/program"], stdin=Subprocess.STREAM, stdout=Subprocess.STREAM, stderr=Subprocess.STREAM)
        assert set(os.listdir("/proc/self/fd")) == before

    if os.path.isdir("/proc/self/fd"):
        asyncio.run(main())

import os
import subprocess
import sys
from pathlib import Path

import pytest
import tornado
from tornado import autoreload


def run_python(*args, cwd):
    environment = {**os.environ, "PYTHONPATH": str(Path(tornado.__file__).parent.parent)}
    return subprocess.run(
        [sys.executable, *args], cwd=cwd, env=environment, capture_output=True, text=True, timeout=30
    )


TOUCHES_ITSELF = """
import asyncio, os, sys
import tornado.autoreload
if os.path.exists("second"):
    print("second", sys.argv[1:], sys.flags.optimize)
    raise SystemExit
open("second", "w").close()
tornado.autoreload.add_reload_hook(lambda: print("hook", flush=True))

async def main():
    tornado.autoreload.start(check_time=10)
    await asyncio.sleep(0.1)
    os.utime("watched", (1, 1))
    await asyncio.sleep(10)

tornado.autoreload.watch("watched")
asyncio.run(main())
"""


def test_a_change_starts_the_program_anew_with_the_same_command_line(tmp_path):
    (tmp_path / "app.py").write_text(TOUCHES_ITSELF)
    (tmp_path / "watched").touch()
    done = run_python("-O", "app.py", "--port=1", "x", cwd=tmp_path)
    assert done.stdout == "hook\nsecond ['--port=1', 'x'] 1\n", done.stderr


def test_a_file_with_a_syntax_error_is_watched(tmp_path):
    (tmp_path / "app.py").write_text("def broken(:")
    code = (
        "import sys, tornado.autoreload as a\n"
        "a.wait = lambda: print(sorted(p for p in a._watched_files if 'app.py' in p))\n"
        "sys.argv[1:] = ['app.py']\na.main()"
    )
    done = run_python("-c", code, cwd=tmp_path)
    assert "app.py" in done.stdout and "SyntaxError" in done.stderr


def test_until_success_gives_the_program_its_own_options(tmp_path):
    (tmp_path / "app.py").write_text("import sys; print(sys.argv)")
    done = run_python("-m", "tornado.autoreload", "--until-success", "app.py", "--until-success", "-m", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "['app.py', '--until-success', '-m']\n")


@pytest.mark.parametrize("args", [[], ["-m"], ["--nonsense"], ["--until-success"]])
def test_a_command_line_without_a_program_explains_itself(tmp_path, args):
    done = run_python("-m", "tornado.autoreload", *args, cwd=tmp_path)
    assert done.returncode == 1
    assert "usage: python -m tornado.autoreload" in done.stderr


def test_a_file_that_goes_away_and_comes_back_unchanged_is_no_change(tmp_path, monkeypatch):
    monkeypatch.setattr(autoreload, "_reload", lambda: pytest.fail("reloaded"))
    times = {}
    path = tmp_path / "file"
    path.write_text("x")
    os.utime(path, (1, 1))
    autoreload._check_file(times, str(path))
    path.unlink()
    autoreload._check_file(times, str(path))
    path.write_text("x")
    os.utime(path, (1, 1))
    autoreload._check_file(times, str(path))


def test_workers_do_not_restart_themselves(monkeypatch):
    monkeypatch.setattr(autoreload.process, "_task_id", 0)
    monkeypatch.setattr(autoreload, "_check_file", lambda *args: pytest.fail("looked"))
    autoreload._reload_on_update({})

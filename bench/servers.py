"""The servers that are compared, and one of their processes while it is measured.

All answer GET / with 200 and the body "Hello, world", listen on 127.0.0.1, and use one process and one thread. A further server
is a line in SERVERS, or --server on the command line of bench.py.
"""

import os
import re
import resource
import shlex
import shutil
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
NGINX_CONF = """
daemon off;
master_process off;
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 16000; multi_accept on; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 100000;
  sendfile on;
  tcp_nopush on;
  default_type "text/html; charset=UTF-8";
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = / {{ return 200 "Hello, world"; }}
  }}
}}
"""


def hello(port, logging):
    return [f"{ROOT}/build/demos/hello", f"--port={port}", "--address=127.0.0.1", f"--logging={logging}"]


def nginx(port, folder):
    path = os.path.join(folder, "nginx.conf")
    with open(path, "w", encoding="utf-8") as conf:
        conf.write(NGINX_CONF.format(port=port, folder=folder, descriptors=descriptors_max()))
    return [NGINX, "-e", os.path.join(folder, "error.log"), "-c", path]


CPUS = sorted(os.sched_getaffinity(0))

# name: the command that serves on a port; `folder` is its scratch folder.
SERVERS = {
    "floor": lambda port, folder: [f"{ROOT}/build/bench/floor", f"--port={port}"],
    "hello": lambda port, folder: hello(port, "none"),
    "hello, logging": lambda port, folder: hello(port, "info"),
    "nginx": nginx,
}


def add(text):
    """Enter a server given as NAME=COMMAND, in which {port} stands for the port."""
    name, _, command = text.partition("=")
    SERVERS[name] = lambda port, folder: shlex.split(command.replace("{port}", str(port)))


def descriptors_max():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def pin(cpu):
    """For a child process before it starts: stay on one processor (0: the first, -1: the last), open as many files as it may."""

    def prepare():
        os.sched_setaffinity(0, {CPUS[cpu]})
        limit = descriptors_max()
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    return prepare


class Process:
    """A server while it runs: use it in a `with` statement."""

    def __init__(self, name, wrapper=()):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.folder = tempfile.TemporaryDirectory()
        command = [*wrapper, *SERVERS[name](self.port, self.folder.name)]
        # A log goes nowhere: what is measured is making and writing it, not the disk.
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        preexec_fn=pin(0))
        self.pid = self.process.pid
        self.wait_until_ready(name)
        if wrapper:
            with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
                children = file.read().split()
            self.pid = int(children[0]) if children else self.pid

    def wait_until_ready(self, name):
        deadline = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise SystemExit(f"{name} does not start: {shlex.join(self.process.args)}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.kill(self.pid, 15)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.folder.cleanup()

    def cpu_us(self):
        """Run time of all its threads so far, user and kernel, by the scheduler's count."""
        total = 0
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{thread}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total / 1e3

    def user_us(self):
        """The user part of it, which the system counts in ticks of 10 ms."""
        with open(f"/proc/{self.pid}/stat", encoding="utf-8") as file:
            ticks = int(file.read().rsplit(")", 1)[1].split()[11])
        return ticks * 1e6 / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/status", encoding="utf-8") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) * 1024

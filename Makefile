# The verbs of this repository. CMake does the work; this file gives its calls short names. `make` alone prints them.

PORT ?= 8888
export PYTHON ?= python3
NAME ?= hello
PREFIX ?= /usr/local
SECONDS ?= 60
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

.PHONY: help setup python run-python test-python bench-python run test build check asan tsan oom aarch64 fuzz bench bench-instructions demo format install clean

help:
	@sed -n 's/^#: //p' Makefile

#: make run                   set everything up, build, and serve demos/hello.c on port 8888 (PORT=... for another)
run:
	@scripts/setup.sh run
	@$(MAKE) --no-print-directory build
	@echo "Serving demos/hello.c at http://127.0.0.1:$(PORT)/ (Ctrl-C ends it)"
	@exec build/demos/hello --port=$(PORT)

#: make python                build the Python package and install it into an environment of its own, build/venv
python:
	@scripts/setup.sh python
	@test -x build/venv/bin/python || $(PYTHON) -m venv build/venv
	@build/venv/bin/pip install --quiet .

#: make run-python            the same, then serve demos/python/helloworld.py on port 8888
run-python: python
	@echo "Hello, world is at http://127.0.0.1:8888/ (Ctrl-C ends it)"
	@exec build/venv/bin/python demos/python/helloworld.py

#: make test-python           the tests of the Python package: ours, the wire tests, and those that Tornado publishes (from PyPI)
test-python: python
	@scripts/test_python.sh

#: make bench-python          CPU time per request of Python servers side by side: ours, Tornado's own, uvicorn, aiohttp (from PyPI)
bench-python: python
	@scripts/setup.sh bench
	@bench/python.py

#: make test                  set everything up, build, and run all tests
test:
	@scripts/setup.sh test
	@$(MAKE) --no-print-directory build
	@scripts/run_tests.py build

#: make build                 build the release into build/
build: ; @$(call build,release,build)

#: make check                 what to run before a commit: layout, layers, lengths, comments, unit tests
check: build
	@scripts/check.sh

#: make asan                  run the tests with the address, undefined-behaviour and leak sanitizers (build-asan/)
asan:
	@scripts/setup.sh test
	@$(call build,asan,build-asan)
	@scripts/run_tests.py build-asan

#: make tsan                  run the tests with the thread sanitizer (build-tsan/)
tsan:
	@scripts/setup.sh test
	@$(call build,tsan,build-tsan)
	@scripts/run_tests.py build-tsan

#: make oom                   fail every allocation in turn, under the sanitizers
oom:
	@scripts/setup.sh test
	@$(call build,asan,build-asan)
	@scripts/run_tests.py build-asan -L oom

#: make aarch64               cross-build for 64-bit ARM and run the unit tests under qemu (build-aarch64/)
aarch64:
	@scripts/setup.sh aarch64
	@scripts/aarch64.sh
	@$(call build,aarch64,build-aarch64)
	@scripts/run_tests.py build-aarch64 -L unit

#: make fuzz                  run every fuzz target for a minute (SECONDS=...; needs clang)
fuzz:
	@scripts/setup.sh fuzz
	@scripts/fuzz.sh $(SECONDS)

#: make bench                 CPU time per request beside a floor program and nginx (about five minutes; installs wrk and nginx)
bench:
	@scripts/setup.sh bench
	@$(MAKE) --no-print-directory build
	@bench/bench.py

#: make bench-instructions    user instructions per request, by callgrind
bench-instructions:
	@scripts/setup.sh bench
	@$(MAKE) --no-print-directory build
	@bench/instructions.py

#: make demo                  build and run a demo (NAME=hello, PORT=8888)
demo: build
	@exec build/demos/$(NAME) --port=$(PORT)

#: make format                lay out the C files by .clang-format
format:
	@scripts/format.sh

#: make install               install libraries, headers, tornado.pc and the CMake package (PREFIX=/usr/local)
install: build
	@cmake --install build --prefix $(PREFIX)
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then ldconfig || true; fi

#: make clean                 remove everything that was built
clean:
	rm -rf build build-*

# Configure (quietly; errors show) and build: $(call build,<preset>,<directory>).
define build
cmake --preset $(1) > /dev/null && cmake --build $(2) -j $(JOBS)
endef

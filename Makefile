# The commands of this repository. Each installs what it needs and lacks, and says so first (tools/setup.sh).
# CMake does the building: `cmake --workflow --preset check` is the same without make.
.DEFAULT_GOAL := help
.PHONY: help demo test build lint format asan fuzz clean
# A pipe fails where any part of it does.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

help:  ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

demo:  ## build, record a real program and convert the recording to four formats
	@tools/demo.sh

test:  ## build and run the C++ and the Python tests
	@tools/test.sh

build:  ## build everything, with tests, into build/dev
	@tools/setup.sh test
	@tools/build.sh dev build/dev

asan:  ## run the C++ tests under the address and undefined-behaviour sanitizers
	@tools/setup.sh test
	@tools/build.sh asan build/asan
	@tools/ctest.sh asan

SECONDS ?= 60
fuzz:  ## fuzz each target for SECONDS=60 under the sanitizers; TARGETS="block memory" chooses
	@tools/fuzz.sh $(SECONDS) $(TARGETS)

lint:  ## check formatting, C++ (clang-tidy), Python (ruff, mypy) and shell scripts (shellcheck)
	@tools/lint.sh

format:  ## format every C++ and Python file in place
	@tools/setup.sh lint
	@git ls-files '*.c' '*.cc' '*.h' | xargs -r build/venv/lint/bin/clang-format -i
	@build/venv/lint/bin/ruff format .
	@build/venv/lint/bin/ruff check --fix .

clean:  ## remove build/ (caches below ~/.cache/gauge stay)
	rm -rf build

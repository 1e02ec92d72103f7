# Two commands do all the set-up: `make demo` ends in a map, `make test` runs the tests.
# `make demo ARGS="--city --lang en"` passes options on.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
SOURCES := $(wildcard geo/*/*.py routing/*.py routing/*/*.py)

.PHONY: demo test check bench lock clean

demo: .venv/.kernels
	$(BIN)/patrolgrid demo $(ARGS)

test: .venv/.ready-dev .venv/.kernels
	$(BIN)/python -m pytest $(ARGS)

check: .venv/.ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.ready-bench
	$(BIN)/python tests/bench/run.py $(ARGS)

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.ready: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

.venv/.ready-dev: requirements-dev.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@ .venv/.ready

# The numba kernels are compiled into their cache here, not in a user's first plan, and again
# whenever a source changes: numba does not see that a kernel calls one of another file.
.venv/.kernels: $(SOURCES) | .venv/.ready
	$(BIN)/patrolgrid warm-up
	touch $@

.venv/.ready-bench: requirements-bench.lock .venv/.ready-dev
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-bench.lock
	touch $@

# Made from the main public index alone, without download addresses.
lock:
	uv pip compile --universal --generate-hashes --no-header --no-annotate --quiet --extra setup pyproject.toml -o requirements.lock
	uv pip compile --universal --generate-hashes --no-header --no-annotate --quiet --extra dev pyproject.toml -c requirements.lock -o requirements-dev.lock
	printf "esda\ngerrychain\nigraph\npandana\npymetis\npyroutingkit ; python_version < '3.14' and (sys_platform == 'darwin' or (sys_platform == 'linux' and platform_machine == 'x86_64'))\nrustworkx\nspopt\n" | uv pip compile --universal --generate-hashes --no-header --no-annotate --quiet --python-version 3.11 - -c requirements-dev.lock -o requirements-bench.lock

clean:
	rm -rf .venv out

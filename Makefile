# The verbs of the project. `make help` lists them; each makes what it needs first.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
SIZE ?= s

.DEFAULT_GOAL := help
.PHONY: help setup demo stop test check story bench faults lock audit clean

help:  ## this list
	@awk 'BEGIN{FS=":.*## "} /^[a-z-]+:.*## /{printf "  make %-8s %s\n",$$1,$$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## a virtual environment in .venv with everything in it

$(STAMP): requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Rescore needs Python 3.11 or newer as \`$(PYTHON)\`; install it, or say make PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "This Python has no venv module; on Debian and Ubuntu: apt-get install python3-venv." >&2; exit 1; }
	@echo "Making .venv (about a minute on a first run) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check "$$(grep -o '^uv==[0-9.]*' requirements-dev.txt)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt -r requirements-dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: $(STAMP)  ## Airflow on this machine, a sandbox CRM with 5,000 leads, first scores
	@$(BIN)/python -m demo.run

stop: $(STAMP)  ## end what `make demo` started
	@$(BIN)/python -m demo.stop

test: $(STAMP)  ## everything, on SQLite and on a real PostgreSQL
	@$(BIN)/python -m pytest -n 3 --dist loadgroup

check: $(STAMP)  ## lint, types and the architecture's one-way imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/rescore check include/rules/*.yaml

story: $(STAMP)  ## what the project promises, shown line by line on a real Airflow
	@$(BIN)/python -m demo.story

bench: $(STAMP)  ## speed as ratios against baselines with the same meaning; SIZE=m for a million leads
	@$(BIN)/python -m tests.bench --size $(SIZE)

faults: $(STAMP)  ## crashes, kills and failures on purpose, and what they broke; counts at the end
	@$(BIN)/python -m tests.faults

lock: $(STAMP)  ## requirements*.txt again from requirements*.in, with hashes
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet \
	  --custom-compile-command "make lock" requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet \
	  --custom-compile-command "make lock" requirements-dev.in -o requirements-dev.txt
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet \
	  --custom-compile-command "make lock" tests/support/tryton/requirements.in -o tests/support/tryton/requirements.txt

audit: $(STAMP)  ## known weaknesses of what is locked, from public advisories; needs the network
	@$(BIN)/uv tool run pip-audit@2.10.1 --disable-pip --require-hashes -r requirements.txt -r requirements-dev.txt

clean:  ## remove what setup and demo made
	@rm -rf .venv .rescore .airflow .pytest_cache .mypy_cache .ruff_cache .hypothesis .faults .tryton

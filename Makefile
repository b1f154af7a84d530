# What each target does: CONTRIBUTING.md. `PYTHON=python3.12 make setup` picks another Python.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/xunlu-ready
CONSOLE_CHECK := deploy/console-check
TSC := $(CONSOLE_CHECK)/node_modules/typescript/bin/tsc
MIGRATIONS := platform/xunlu_platform/store/sql/migrations
# Counters that never reach two billion stay small; a migration runs alone, with the services stopped.
SQUAWK_EXCLUDED := prefer-bigint-over-int,prefer-bigint-over-smallint,require-lock-timeout,require-statement-timeout

.PHONY: setup demo up services test bench check fix docs lock
.NOTPARALLEL:

setup: $(READY)

$(READY): deploy/requirements/dev.txt pyproject.toml deploy/setup
	@PYTHON=$(PYTHON) deploy/setup python $(VENV)
	@touch $@

demo: $(READY)
	@exec $(BIN)/xunlu demo

up: $(READY)
	@exec $(BIN)/xunlu up

services: $(READY)
	@exec $(BIN)/xunlu services

test: $(READY)
	@deploy/setup chromium
	@deploy/setup console_checks $(CONSOLE_CHECK)
	@$(BIN)/xunlu runtime
	$(BIN)/python -m pytest

bench: $(READY)
	@deploy/setup chromium
	@$(BIN)/xunlu runtime
	$(BIN)/python -m tests.benchmarks

check: $(READY)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/squawk --pg-version 17 --assume-in-transaction --exclude $(SQUAWK_EXCLUDED) $(MIGRATIONS)/*.sql
	$(BIN)/codespell
	@deploy/setup console_checks $(CONSOLE_CHECK)
	@if [ -e $(TSC) ]; then echo "tsc --checkJs" && node $(TSC) -p $(CONSOLE_CHECK); fi
	$(BIN)/python -m pytest -q tests/test_docs.py tests/test_layout.py tests/test_packaging.py tests/test_configuration.py

fix: $(READY)
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(BIN)/codespell --write-changes

docs: $(READY)
	$(BIN)/python -m xunlu_deploy.configuration docs/configuration.md
	$(BIN)/python -m tests.schema

lock: $(READY)
	$(BIN)/uv pip compile pyproject.toml --extra all --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --quiet --upgrade --output-file deploy/requirements/dev.txt
	cd $(CONSOLE_CHECK) && npm install --package-lock-only --omit-lockfile-registry-resolved=true

# Everything here needs Python 3.11 or newer with venv, make and git, and nothing else.
# The environment is made once from the locks (every package by its hash) and again only when they change.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PIP := .venv/bin/python -m pip --disable-pip-version-check --no-input install --quiet
RUNTIME := .venv/.runtime
DEVELOPMENT := .venv/.development
SANDBOX := .venv/.sandbox
ARGS ?=

# The system's python3 where the locks are tried with it (3.11 to 3.13), else another of those, else a newer one.
# Each is run, not only looked for: some are shims with nothing behind them.
PYTHON ?= $(shell \
	fits() { "$$1" -c "import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $$2))" 2>/dev/null; }; \
	for python in python3 python3.13 python3.12 python3.11; do fits $$python 13 && { echo $$python; exit; }; done; \
	for python in python3 python3.14; do fits $$python 99 && { echo $$python; exit; }; done)

.PHONY: help
help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(RUNTIME) ## Play the demonstration: real PostgreSQL, real Kafka, eleven journeys, one table
	.venv/bin/lgw demo $(ARGS)

.PHONY: test
test: check $(SANDBOX) ## Check, then run all tests, or some (make test ARGS="-k relay")
	.venv/bin/python -m pytest $(ARGS)

.PHONY: check
check: $(DEVELOPMENT) ## Format, lint, types, import rules and generated contracts
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(if $(wildcard schemas/contracts.py),.venv/bin/python -m schemas.contracts --check)
	.venv/bin/python -m adapters.rulebook --check

.PHONY: agency
agency: $(DEVELOPMENT) ## Make a new agency from the template: make agency name=housing
	@test -n "$(name)" || { echo "Name it: make agency name=housing"; exit 2; }
	.venv/bin/lgw new-agency "$(name)" $(ARGS)

.PHONY: fuzz
fuzz: $(DEVELOPMENT) ## Fuzz every parser, ten minutes in all (make test gives them two)
	FUZZ_SECONDS=600 .venv/bin/python -m pytest tests/adapters/test_fuzz.py $(ARGS)

.PHONY: bench
bench: $(RUNTIME) ## Measure the gateway against the bare loop
	.venv/bin/python -m bench $(ARGS)

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with venv was found. Name one: make PYTHON=/path/to/python3"; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv

$(RUNTIME): requirements.txt pyproject.toml | .venv/bin/python
	@echo "Installing requirements.txt (once, about a minute)"
	@$(PIP) --require-hashes --requirement requirements.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEVELOPMENT): requirements-dev.txt pyproject.toml | .venv/bin/python
	@echo "Installing requirements-dev.txt (once, about a minute)"
	@$(PIP) --require-hashes --requirement requirements-dev.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# The NHS's MESH sandbox, which tests of the MESH channel run. It names one release of FastAPI and no other, so it has
# an environment of its own.
$(SANDBOX): requirements-sandbox.txt | .venv/bin/python
	@echo "Installing requirements-sandbox.txt (once)"
	@.venv/bin/python -m venv .venv/mesh-sandbox
	@.venv/mesh-sandbox/bin/python -m pip --disable-pip-version-check --no-input install --quiet --require-hashes \
		--requirement requirements-sandbox.txt
	@touch $@

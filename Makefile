# Everything a person or CI does with this repository. `make` alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
# A python3 that is too new or too old is passed over for one that fits.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$p && break; done)
UV := uv==0.13.9
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SEEDS ?= 1
SEED ?= 7
PROFILE ?= messy

.PHONY: run test dev check bench accuracy docs clean lock help

run: $(INSTALLED) ## compute the metrics (on the sandbox company, unless mission.yaml says otherwise)
	@$(BIN)/mission sandbox live refresh

test: $(INSTALLED) ## run every test that CI runs
	@$(BIN)/pytest

dev: $(INSTALLED) ## Dagster on http://127.0.0.1:3000
	@$(BIN)/mission sandbox live dev

check: $(INSTALLED) ## lint, types, SQL format, layers and import rules
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/sqlfmt --check --quiet models
	@$(BIN)/pytest -q tests/architecture

bench: $(INSTALLED) ## time a cold `make run` and warm refreshes into docs/benchmarks.md
	@$(BIN)/python tests/bench/bench.py

accuracy: $(INSTALLED) ## metrics beside the truth of simulated companies; SEEDS=200 SEED=7 PROFILE=clean
	@PYTHONPATH=tests/support $(BIN)/python -m accuracy.start \
		--seeds $(SEEDS) --seed $(SEED) --profile $(PROFILE)

docs: $(INSTALLED) ## dbt's documentation of every table, as one page
	@$(BIN)/mission dbt docs generate --static
	@echo "open data/dbt_target/static_index.html"

clean: ## remove caches and build files; data/ and .venv/ stay
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info data/dbt_target
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

lock: $(INSTALLED) ## write requirements.lock again from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --all-extras --python-version 3.11 \
		--no-header --no-annotate pyproject.toml --output-file requirements.lock

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

$(INSTALLED): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed and was not found;" \
		"install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "on Debian and" \
		"Ubuntu the module venv is a package of its own: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(UV)"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

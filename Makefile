# python3 (3.11 or later) and make are all that this assumes; `make` alone explains the rest.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test lint format messages screenshots simulate soak fuzz bench settling streams many-orders lighthouse lock clean

help: ## Explain these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.ready ## Open the shop at http://localhost:8000, with all that it needs
	@exec $(BIN)/gunicorn

test: $(VENV)/.ready-dev ## Run every test; ARGS="tests/web -x" for some
ifeq ($(ARGS),)
	$(BIN)/python -m pytest -n auto -m "not alone"
	$(BIN)/python -m pytest -m alone
else
	$(BIN)/python -m pytest $(ARGS)
endif

lint: $(VENV)/.ready-dev ## Check style, mistakes and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.ready-dev ## Put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

messages: $(VENV)/.ready-dev ## Bring the catalogues of all languages in step with the texts
	$(BIN)/python -m tests.messages

screenshots: $(VENV)/.ready-dev ## Take a picture of every state into docs/screenshots/
	$(BIN)/python -m tests.screenshots

SEEDS ?= 5000
MINUTES ?= 10
KILLS ?= 2000

simulate: $(VENV)/.ready-dev ## Try to break the promises with SEEDS=5000 seeds in two processes
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)

soak: $(VENV)/.ready-dev ## The same with ever new seeds for MINUTES=10, then KILLS=2000 for as long
	$(BIN)/python -m tests.simulation --minutes $(MINUTES)
	$(BIN)/python -m tests.contest.kills --kills $(KILLS) --minutes $(MINUTES)

INPUTS ?= 200000

fuzz: $(VENV)/.ready-dev ## Throw INPUTS=200000 events, forms, addresses and headers at the shop
	$(BIN)/python -m tests.fuzz --inputs $(INPUTS)

bench: $(VENV)/.ready-dev ## Measure the shop beside bare programs; ARGS="--quick" only tries it out
	$(BIN)/python -m benchmarks $(ARGS)

ORDERS ?= 10000

settling: $(VENV)/.ready-dev ## Measure how ORDERS=10000 settle when no webhook comes
	$(BIN)/python -m benchmarks.settling --orders $(ORDERS)

STREAMS ?= 500

streams: $(VENV)/.ready-dev ## Measure how soon STREAMS=500 open pages see a change
	$(BIN)/python -m benchmarks.streams --streams $(STREAMS)

many-orders: $(VENV)/.ready-dev ## Measure the operator's pages with 500 orders and with 50,000
	$(BIN)/python -m benchmarks.many_orders $(ARGS)

lighthouse: $(VENV)/.ready-dev ## Have the shoppers' pages judged by Lighthouse, which needs Node
	$(BIN)/python -m benchmarks.lighthouse $(ARGS)

# The second lock keeps extras: without, pip takes coverage[toml] for something that nobody pinned.
# Each version with the hashes of its files, so that nobody can put another file in its place.
COMPILE = $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header

lock: $(VENV)/.ready-dev ## Choose the newest versions within requirements*.txt (with pip-tools)
	$(BIN)/python -m pip install --quiet 'pip-tools~=7.6'
	$(COMPILE) --strip-extras --output-file requirements.lock requirements.txt
	$(COMPILE) --no-strip-extras --constraint requirements.lock --output-file requirements-dev.lock requirements-dev.txt

clean: ## Remove what was installed and cached; instance/, with its data, stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
	find storefront tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed: make PYTHON=python3.12 run"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python's venv is missing; on Debian or Ubuntu: sudo apt-get install python3-venv"; exit 1; }

$(VENV)/.ready: requirements.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.ready-dev: requirements-dev.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $(VENV)/.ready $@
	@$(BIN)/python -m tests.browser

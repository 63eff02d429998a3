# One command each: `make demo`, `make test`. Everything lives in .venv, installed from the pins in constraints.txt.
.DEFAULT_GOAL := help
.PHONY: help setup demo quick test long newest sdks nightly check schema bench soak

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SDKS := tests/sdk/node
PACKAGES := $(SDKS)/node_modules/.package-lock.json
ARGS ?=
SLOW := cli demo docs faults packaging readmodel sdk soak
WORKERS ?= 3
# Tests start many processes: what is compiled once is kept, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE
CODE := src tests $(wildcard bench) scripts/neo4j-server

help:  ## say what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: $(STAMP)  ## create .venv and install everything, pinned
	@:

# A command may be there and not work (version managers leave such shims), so each candidate is run before it is chosen.
$(STAMP): pyproject.toml constraints.txt
	@python=; for candidate in python3.13 python3.12 python3.11 python3 python; do \
	    if $$candidate -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	        python=$$candidate; break; \
	    fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo 'onefold needs Python 3.11 or newer with its venv module, and found none that works as' >&2; \
	    echo 'python3.13, python3.12, python3.11, python3 or python. Install one and run make again.' >&2; \
	    exit 1; \
	fi; \
	echo "installing into $(VENV) with $$($$python --version)" && \
	$$python -m venv $(VENV)
	@PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 \
	    $(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

demo: setup  ## import a made-up shop, show how well it was stitched, and serve it (ARGS=--no-serve: only show)
	@$(BIN)/onefold demo $(ARGS)

# Without what starts processes and servers by the dozen.
quick: setup  ## the tests of under a minute
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m 'not slow' $(addprefix --ignore=tests/,$(SLOW)) $(ARGS)

test: setup sdks  ## every test of under a quarter of an hour together: all but those of `make long`
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m 'not long' $(ARGS)

long: setup  ## the tests that take minutes each: servers die, and are started again and again
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m long tests/faults $(ARGS)

# Without npm the tests themselves say what is missing, and whether it may be.
sdks:
	@if command -v npm >/dev/null 2>&1; then $(MAKE) --no-print-directory $(PACKAGES); fi

$(PACKAGES): $(SDKS)/package.json $(SDKS)/package-lock.json $(SDKS)/.npmrc
	npm ci --prefix $(SDKS) --loglevel error
	@touch $@

newest: setup  ## what runs on Neo4j, on its 2026 line instead of 5.26 (needs Java 21 or newer)
	ONEFOLD_NEO4J_VERSION=2026.08.1 $(BIN)/pytest -k neo4j tests/contract tests/property tests/faults $(ARGS)

nightly: setup  ## the property tests with 20,000 new examples each
	ONEFOLD_HYPOTHESIS_PROFILE=nightly $(BIN)/pytest -n $(WORKERS) --dist loadgroup tests/property $(ARGS)

check: setup  ## ruff, mypy --strict and the import rules
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports --no-cache

schema: setup  ## print the public GraphQL schema into graph_schema/schema.graphql
	$(BIN)/python -m onefold.api.graphql.schema

bench: setup  ## the benchmarks, each with its control beside it
	$(BIN)/python -m bench $(ARGS)

soak: setup  ## ten minutes of mixed load with kill -9 in between: nothing is lost, memory is flat (ARGS="--seconds 60")
	$(BIN)/python -m tests.soak $(ARGS)

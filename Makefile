# SPDX-License-Identifier: Apache-2.0
# One-word commands; each does its own set-up.  T= chooses tests (make test T=tests/core), ARGS= adds options.

PYTHON_ENV := .venv/bin
T ?=
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test check soak fmt lint types imports contracts docs bench lock ready

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

setup: ready ## Make .venv with everything, the pinned compiler and chain, and the fonts

demo: ## Run the whole path on this machine: chain, ledger, stamps and pages of a fictional mango lot
	@sh scripts/bootstrap demo
	@$(PYTHON_ENV)/traceledger demo $(ARGS)

test: ready ## Run all tests, browser and chain included (T=tests/core for some, ARGS=-x for options)
	$(PYTHON_ENV)/python -m pytest $(T) $(ARGS)

check: ready ## Format, lint, types, imports, contract artifacts, generated docs, then all tests
	$(PYTHON_ENV)/ruff format --check
	$(PYTHON_ENV)/ruff check
	$(PYTHON_ENV)/mypy
	$(PYTHON_ENV)/lint-imports
	$(PYTHON_ENV)/python scripts/compile_contracts.py --check
	$(PYTHON_ENV)/python benchmarks/gas.py --check
	$(PYTHON_ENV)/python scripts/gen_docs.py --check
	$(PYTHON_ENV)/python scripts/make_examples.py --check
	$(MAKE) test

soak: ready ## Run the property tests and those marked soak with many more examples
	HYPOTHESIS_PROFILE=soak $(PYTHON_ENV)/python -m pytest -m "hypothesis or soak" --timeout 1200 --durations 10 $(T) $(ARGS)

fmt: ready ## Format the code and mend what the linter can mend
	$(PYTHON_ENV)/ruff check --fix
	$(PYTHON_ENV)/ruff format

lint: ready ## Look for mistakes and style
	$(PYTHON_ENV)/ruff check

types: ready ## Check types, strictly, in src
	$(PYTHON_ENV)/mypy

imports: ready ## Check that imports only point down
	$(PYTHON_ENV)/lint-imports

contracts: ready ## Compile the contract and write its artifacts
	$(PYTHON_ENV)/python scripts/compile_contracts.py

docs: ready ## Write docs/reference and the examples of docs/spec from the code
	$(PYTHON_ENV)/python scripts/gen_docs.py
	$(PYTHON_ENV)/python scripts/make_examples.py

bench: ready ## Measure what the contract costs, and write the table of contracts/README.md
	$(PYTHON_ENV)/python benchmarks/gas.py $(ARGS)

lock: ready ## Pin the newest allowed versions with their hashes in requirements/ (needs uv)
	sh scripts/lock

ready:
	@sh scripts/bootstrap test

# The same commands for people and for CI. Everything lives in .venv; nothing else is installed.

PYTHON ?= python3
# How many failed tests are run once more, alone: see tests/forked/workers.py.
AGAIN ?= 0
BIN := .venv/bin
# Everything that is checked by eye is checked by these folders too.
CODE := src tests bench evals docs tools

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint audit format docs bench interop lock clean

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

.venv/.setup: locks/setup.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/setup.txt
	@touch $@

.venv/.runtime: .venv/.setup locks/runtime.txt pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r locks/runtime.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: .venv/.runtime locks/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r locks/dev.txt
	@touch $@

setup: .venv/.dev ## everything for working on Fairlead

demo: .venv/.runtime ## a working day of an invented retail company, without keys or servers
	@$(BIN)/fairlead demo

# Tests are collected once, and run in forks of that process: more than there are processors, since some wait for a
# clock, a socket or a child. Bytecode is kept, since to rewrite the assertions of all tests takes ten seconds.
test: export PYTHONDONTWRITEBYTECODE :=
test: .venv/.dev ## all tests; no network, no keys
	$(BIN)/python -m pytest -p tests.forked.workers --workers 4 --again $(AGAIN)

lint: .venv/.dev ## format, rules, types, layers, locks, licences, bill of materials
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/supply.py

audit: .venv/.audit ## ask for known weaknesses of what the locks hold; needs the network
	.venv/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r locks/runtime.txt
	.venv/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r locks/dev.txt

.venv/.audit: .venv/.setup locks/audit.txt
	$(BIN)/uv venv --quiet --clear .venv/audit
	$(BIN)/uv pip install --quiet --python .venv/audit/bin/python --require-hashes -r locks/audit.txt
	@touch $@

format: .venv/.dev ## put the code into shape
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

docs: .venv/.dev ## regenerate what is generated (JSON Schemas, command help) and run every example
	$(BIN)/python docs/generate.py
	$(BIN)/python -m pytest tests/docs

bench: .venv/.dev ## CPU per step of the hot path; see bench/README.md for the comparison with peers
	$(BIN)/python bench/hot_path.py

interop: .venv/.dev ## real model servers and the suites of their clients, straight and through Fairlead; installs them
	tools/interop.sh
	nice $(BIN)/python -m evals.interop
	nice $(BIN)/python -m evals.interop.frameworks
	nice $(BIN)/python -m evals.mcp_servers
	nice $(BIN)/python -m evals.mcp_conformance
	nice $(BIN)/python -m evals.exchange

lock: .venv/.setup ## resolve the dependencies anew
	printf 'uv\nhatchling\neditables\n' | $(BIN)/uv pip compile -q -U --universal --generate-hashes --no-emit-index-url --custom-compile-command "make lock" - -o locks/setup.txt
	$(BIN)/uv pip compile -q -U --universal --generate-hashes --no-emit-index-url --custom-compile-command "make lock" pyproject.toml -o locks/runtime.txt
	$(BIN)/uv pip compile -q -U --universal --generate-hashes --no-emit-index-url --custom-compile-command "make lock" --group dev pyproject.toml -c locks/runtime.txt -o locks/dev.txt
	echo pip-audit | $(BIN)/uv pip compile -q -U --universal --generate-hashes --no-emit-index-url --custom-compile-command "make lock" - -o locks/audit.txt
	$(BIN)/python tools/supply.py --write

clean: ## remove what can be made again
	rm -rf .venv dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

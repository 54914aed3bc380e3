# Needs Python 3, make and a C compiler. Everything else goes into .venv and .venv-tools.
# PYTHON=3.11 chooses the Python, with an environment of its own (.venv-3.11).
# ARGS="..." is handed on: make bench ARGS="--profile quick", make test ARGS="tests/truth -x".

VENV := .venv$(if $(PYTHON),-$(PYTHON))
BIN := $(VENV)/bin

# A file's tests stay together: they share what was compiled for them.
PARALLEL := -n auto --dist loadfile

.PHONY: help setup bench test test-slow test-stacks lint format clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: ## Make or update the locked environment
	@python3 .ci/bootstrap.py $(PYTHON)

bench: setup ## Both models, both libraries, NUTS and ADVI, judged and plotted
	$(BIN)/gmixbench run $(ARGS)

test: lint ## Style, types, import rules and the fast tests
	$(BIN)/pytest $(PARALLEL) $(ARGS)

test-slow: setup ## Tests marked slow
	$(BIN)/pytest $(PARALLEL) -m slow $(ARGS)

test-stacks: setup ## Tests in environments of old releases, which they build
	$(BIN)/pytest -m stacks $(ARGS)

lint: setup ## Style, types and import rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Put the code into shape
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## Remove the environments and caches; results stay
	rm -rf .venv .venv-* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

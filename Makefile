# Two commands do it: `make demo` and `make test`. Both set up what is missing, once.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check fast setup clean

demo: setup
	$(BIN)/potstill run recipes/quickstart.yaml

test: setup
	$(BIN)/python -m pytest

# Without the tests that run the real engine and the real trainer.
fast: setup
	$(BIN)/python -m pytest -m "not slow"

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

setup:
	@$(PYTHON) scripts/setup.py

clean:
	rm -rf work build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

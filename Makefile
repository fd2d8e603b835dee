# Two commands do it: `make demo` and `make test`. Both set up what is missing, once.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check fast crash setup clean

demo: setup
	$(BIN)/potstill run recipes/quickstart.yaml

# Two at a time: many tests wait for processes of their own. The tests of a file stay together.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile

test: setup
	$(PYTEST)

# Without the tests that run the real engine and the real trainer.
fast: setup
	$(PYTEST) -m "not slow"

# Generation killed 200 times, and every fail point with every error; other instants each time.
crash: setup
	POTSTILL_KILLS=$${POTSTILL_KILLS:-200} POTSTILL_SEED=$${POTSTILL_SEED:-$$(date +%s)} \
	POTSTILL_CRASH_TESTS=all $(BIN)/python -m pytest tests/crash tests/models/test_managed_server.py

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

setup:
	@$(PYTHON) scripts/setup.py

clean:
	rm -rf work build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# One-word tasks. `make demo` and `make test` need only Python 3.11: they do all set-up themselves.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PACKAGES := lotus lotus_store lotus_venues lotus_herald lotus_live lotus_resources lotus_sensors lotus_assets lotus_cli

.PHONY: demo test setup lint types contracts unit up bench chaos lock clean

demo: setup
	$(BIN)/lotus demo

test: lint types contracts unit

setup: .venv/ready

.venv/ready: requirements.lock requirements-bootstrap.lock pyproject.toml
	$(PYTHON) scripts/setup.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy $(addprefix -p ,$(PACKAGES))

contracts: setup
	$(BIN)/lint-imports

unit: setup
	$(BIN)/pytest -n 2 --dist loadfile

up: setup
	$(BIN)/lotus up

bench: setup
	$(BIN)/python benchmarks/hot_path.py --all

chaos: setup
	$(BIN)/python tests/chaos/kills.py --kills 200

lock: setup
	$(BIN)/uv pip compile -q --python-version 3.11 --universal --no-emit-index-url --no-header --no-annotate --generate-hashes requirements-bootstrap.in -o requirements-bootstrap.lock
	$(BIN)/uv pip compile -q --python-version 3.11 --universal --no-emit-index-url --no-header --no-annotate --generate-hashes requirements.in -o requirements.lock

clean:
	rm -rf .venv .lotus .kernel_cache .mypy_cache .ruff_cache .pytest_cache .hypothesis

# One-word tasks. `make demo` and `make test` need only Python 3.11: they do all set-up themselves.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PACKAGES := lotus lotus_store lotus_venues lotus_herald lotus_modules lotus_desk lotus_live lotus_resources lotus_sensors lotus_assets lotus_cli
PYTEST := $(BIN)/pytest -n 3 --no-loadscope-reorder
SLOW := kill or compile or process or evidence or clock

.PHONY: kernels demo check test thorough setup static lint types contracts quick all up docs changelog bench lock clean

demo: setup
	$(BIN)/lotus demo

check: static quick

test: static all

thorough: setup
	$(BIN)/python scripts/thorough.py

setup: .venv/ready

.venv/ready: requirements.lock requirements-dev.lock requirements-bootstrap.lock pyproject.toml
	$(PYTHON) scripts/setup.py

static: setup
	$(MAKE) -j 2 -O lint types contracts

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy $(addprefix -p ,$(PACKAGES))
	$(BIN)/mypy docs/build

contracts: setup
	$(BIN)/lint-imports

quick: setup
	$(PYTEST) --hypothesis-profile=fast -m "not ($(SLOW))"

all: setup
	$(PYTEST) --hypothesis-profile=usual --durations=10

up: setup
	$(BIN)/lotus up

kernels: setup
	$(BIN)/lotus warm $(if $(FROM),--from $(FROM)) --archive $(or $(TO),kernels.zip)

docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -q

changelog: setup
	$(BIN)/towncrier build --yes

bench: setup
	$(BIN)/python benchmarks/hot_path.py --all

lock: setup
	for name in requirements-bootstrap requirements requirements-dev; do \
	    $(BIN)/uv pip compile -q --python-version 3.11 --universal --no-emit-index-url --no-header --no-annotate --generate-hashes \
	        $$name.in -o $$name.lock || exit; done

clean:
	rm -rf .venv .lotus .kernel_cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

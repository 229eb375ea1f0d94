# One-word tasks. `make demo` and `make test` need only Python 3.11: they do all set-up themselves.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PACKAGES := lotus lotus_store lotus_venues lotus_llm lotus_herald lotus_modules lotus_desk lotus_live lotus_resources lotus_sensors lotus_assets lotus_console lotus_lab lotus_cli
PYTEST := $(BIN)/pytest -n 3 --no-loadscope-reorder
LOCK = $(BIN)/uv pip compile -q --python-version 3.11 --universal --no-emit-index-url --no-header --no-annotate \
    --generate-hashes
SLOW := kill or compile or process or evidence or clock

.PHONY: demo kernels check test thorough setup static static-docs lint types contracts quick all up docs pictures changelog bench bench-peers bots bench-whole ratios lock wheel clean

demo: .venv/ready
	$(BIN)/lotus demo

check: static quick

test: static all

thorough: setup
	$(BIN)/python scripts/thorough.py

setup: .venv/dev

.venv/ready: requirements.lock requirements-bootstrap.lock pyproject.toml
	$(PYTHON) scripts/setup.py

.venv/dev: .venv/ready requirements-dev.lock
	$(PYTHON) scripts/setup.py --dev

static: setup
	$(MAKE) -j 2 -O lint types contracts

static-docs: setup
	$(MAKE) -j 2 -O types docs lint contracts

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
	$(PYTEST) --hypothesis-profile=usual --durations=10 $(if $(TURN),--turn $(TURN))

up: .venv/ready
	$(BIN)/lotus up

kernels: .venv/ready
	$(BIN)/lotus warm $(if $(FROM),--from $(FROM)) --archive $(or $(TO),kernels.zip)

wheel: .venv/ready
	$(BIN)/python scripts/wheel.py

pictures: setup
	$(PYTEST) tests/lotus_cli/test_console_walk.py tests/lotus_cli/learn/test_command.py

docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -q

changelog: setup
	$(BIN)/towncrier build --yes

bench: setup
	$(BIN)/python benchmarks/hot_path.py --all

bench-peers: setup
	$(BIN)/uv venv -q --allow-existing -p $(BIN)/python .venv-peers
	$(BIN)/uv pip install -q --require-hashes -p .venv-peers/bin/python -r benchmarks/peers/requirements.lock
	$(BIN)/python benchmarks/hot_path.py --only peers

bots: setup
	$(BIN)/python tests/bots/environments.py

bench-whole: setup
	$(BIN)/python benchmarks/whole.py

ratios: setup
	$(BIN)/python benchmarks/whole.py --check

lock: setup
	$(LOCK) requirements-bootstrap.in -o requirements-bootstrap.lock
	$(LOCK) --extra platform pyproject.toml -o requirements.lock
	for name in requirements-fleet requirements-dev benchmarks/peers/requirements tests/bots/freqtrade tests/bots/nautilus; do \
	    $(LOCK) $$name.in -o $$name.lock || exit; done

clean:
	rm -rf .venv .venv-peers .venv-bots dist .lotus .kernel_cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

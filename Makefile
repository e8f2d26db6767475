# One entry point. Everything happens in .venv; nothing else on the machine is touched, but that
# `make test` installs the programs it needs where it runs as root on Debian or Ubuntu
# (INSTALL_PROGRAMS=no keeps it from that).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export TORCH_INDEX

.PHONY: setup setup-dev demo run check test test-quick coverage programs format docs screenshots lock image clean

setup:
	@$(PYTHON) scripts/setup_venv.py $(VENV)

setup-dev:
	@$(PYTHON) scripts/setup_venv.py $(VENV) --dev

demo: setup
	$(BIN)/python -m cli.demo

run: setup
	$(BIN)/stemcrate serve

check: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python scripts/check_imports.py
	$(BIN)/hadolint Dockerfile
	$(BIN)/typos
	$(BIN)/python scripts/check_links.py
	$(BIN)/python -m scripts.docs --check

# Two at once, as tests often wait for what they started; those of a file share it and stay together.
# Files are taken over in the order of tests/conftest.py, not by the number of their tests.
PYTEST := $(BIN)/python -m pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder
COVERAGE := --cov --cov-report=term

# Measuring takes half as much time again. So continuous integration (CI is set) measures the quick tests, which
# have a minimum of their own; `make coverage` measures all.
QUICK_MINIMUM := 70
ifdef CI
test: setup-dev programs
	$(PYTEST) -m "not slow" $(COVERAGE) --cov-fail-under=$(QUICK_MINIMUM); quick=$$?; $(PYTEST) -m slow && exit $$quick
else
test: setup-dev programs
	$(PYTEST)
endif

coverage: setup-dev programs
	$(PYTEST) $(COVERAGE)

test-quick: setup-dev
	$(PYTEST) -m "not slow"

programs: setup-dev
	@$(BIN)/python -m tests.programs $(INSTALL_PROGRAMS)

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The tables of options and settings, docs/cli.md and .env.example, from the code.
docs: setup-dev
	$(BIN)/python -m scripts.docs

# Every page of the workbench, light and dark, for a desk and a phone, in build/screenshots.
screenshots: setup-dev programs
	$(BIN)/python -m scripts.screenshots

# Versions that fit stay; raise them by UPGRADE=--upgrade or UPGRADE="--upgrade-package numpy".
lock: setup-dev
	$(BIN)/python scripts/lock.py $(UPGRADE)

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache .mypy_cache .import_linter_cache

# Built by the first of these that answers: docker may be here without its daemon. OCI's own format,
# the default of the last two, drops the health check.
image:
	@for builder in docker podman buildah; do \
	  $$builder info >/dev/null 2>&1 || continue; \
	  case $$builder in docker) format= ;; *) format="--format docker" ;; esac; \
	  exec $$builder build $$format --tag stemcrate:latest $(if $(TORCH_INDEX),--build-arg TORCH_INDEX) .; \
	done; \
	echo "make image needs docker, podman or buildah, and none of them answers." >&2; exit 1

# One entry point. Everything happens in .venv; nothing else on the machine is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup setup-dev demo run test lint format clean image

setup: $(VENV)/.installed
setup-dev: $(VENV)/.installed-dev

$(VENV)/.installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Stemcrate needs Python 3.11 or later.")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet torch==2.13.0 $(TORCH_INDEX)
	$(BIN)/pip install --quiet -r requirements.txt
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(BIN)/pip install --quiet -r requirements-dev.txt
	touch $@

demo: setup
	$(BIN)/python -m cli.demo

run: setup
	$(BIN)/stemcrate serve

# Two at once, as tests often wait for what they started; those of a file share it and stay together.
test: setup-dev
	$(BIN)/python -m pytest --numprocesses=2 --dist=loadfile

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache .mypy_cache .import_linter_cache

# Built by whichever of these is here. OCI's own format, the default of the last two, drops the
# health check. IMAGE_ARGS: more arguments, such as --build-arg TORCH_INDEX=….
image:
	@for builder in docker podman buildah; do \
	  command -v $$builder >/dev/null || continue; \
	  case $$builder in docker) format= ;; *) format="--format docker" ;; esac; \
	  exec $$builder build $$format --tag stemcrate:latest $(IMAGE_ARGS) .; \
	done; \
	echo "make image needs docker, podman or buildah, and none of them is here." >&2; exit 1

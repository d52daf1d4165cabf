# Two commands: `make run` does the main job, `make test` passes the tests. Each installs all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= .home

.PHONY: run test check lint unit clean lock packages

$(VENV)/installed: requirements.lock pyproject.toml
	@echo "installing into $(VENV): about a minute, once"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

run: $(VENV)/installed
	$(BIN)/holdfast up --demo --home $(HOME_DIR)

packages:
	sh .ci/install-packages

test: $(VENV)/installed packages
	$(BIN)/python -m pytest

check: $(VENV)/installed lint unit

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/installed
	$(BIN)/python -m pytest tests/unit -m "not slow"

lock:
	$(BIN)/pip-compile --quiet --allow-unsafe --generate-hashes --extra dev --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV)

SCALE ?= 0.2
.PHONY: bench
bench: $(VENV)/installed packages
	$(BIN)/python -m bench.run --scale $(SCALE)

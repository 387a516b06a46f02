# Everything a fresh machine needs: Python 3.11 or later, git and make.
PYTHON ?= python3
AREA ?= Bury
BIN := .venv/bin

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: report test lab clean

report: .venv/installed
	$(BIN)/send-analysis report "$(AREA)"

test: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2

lab: .venv/installed
	$(BIN)/jupyter lab notebooks

# The lock pins every package by hash; the project itself is installed from this folder. uv takes
# a quarter of pip's time; where it cannot reach the registry as pip is set up to, pip does it.
LOCKED := --quiet --require-hashes -r requirements.lock

.venv/installed: installer.lock requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r installer.lock
	$(BIN)/uv pip install --python $(BIN)/python --compile-bytecode $(LOCKED) || $(BIN)/python -m pip install $(LOCKED)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

clean:
	rm -rf .venv reports

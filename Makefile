# Everything a fresh machine needs: Python 3.11 or later, git and make.
PYTHON ?= python3
AREA ?= Bury
BIN := .venv/bin

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

# The lock pins every package by hash; the project itself is installed from this folder.
.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

clean:
	rm -rf .venv reports

# A fresh clone needs nothing but Python 3.11+ and make: each goal first makes .venv with what it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help demo test quick check docs audit format clean

help:
	@echo "make demo    fit datasets/adult, sample, judge: writes demo/ and prints a score table (under 5 minutes)"
	@echo "make test    the whole test suite"
	@echo "make quick   the tests that take no more than a few seconds each"
	@echo "make check   lint, format, types, import contracts"
	@echo "make docs    the documentation as HTML, in docs/_build/html; a warning is an error"
	@echo "make audit   what pip-audit knows about the pinned dependencies (needs the network)"
	@echo "make format  put the code in order"
	@echo "make clean   remove what make made"

demo: $(VENV)/.has-core
	$(BIN)/synthgan demo adult --out demo

# On all cores, files side by side, a thread each: what tests compute is too small for more.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

test: $(VENV)/.has-test
	$(PYTEST)

quick: $(VENV)/.has-test
	$(PYTEST) -m "not slow"

check: $(VENV)/.has-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.has-docs
	$(BIN)/sphinx-build -W --keep-going --quiet -b html -d docs/_build/doctrees docs docs/_build/html

audit:
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(VENV)-audit/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip --progress-spinner off

format: $(VENV)/.has-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(VENV)-audit demo docs/_build docs/_generated build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -type d -exec rm -rf {} +

# One stamp for each set of packages, renewed when what should be in it changes. A larger set holds the smaller ones.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.has-core: EXTRA :=
$(VENV)/.has-test: EXTRA := [test]
$(VENV)/.has-dev: EXTRA := [dev]
$(VENV)/.has-docs: EXTRA := [docs]
$(VENV)/.has-test $(VENV)/.has-dev $(VENV)/.has-docs: HELD := $(VENV)/.has-core
$(VENV)/.has-dev: HELD += $(VENV)/.has-test
$(VENV)/.has-%: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable ".$(EXTRA)"
	@touch $@ $(HELD)

# Everything a new checkout needs: 'make study' runs a study, 'make test' the checks. Both make the virtual environment
# first; 'make docs' builds the documentation's site. PYTHON, STUDY and ARGS may be set:
# make study STUDY=cifar10 ARGS="--data images --latency-budget 5ms"

PYTHON ?= python3
STUDY ?= quickstart
ARGS ?=
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
ENDING := .exe
else
BIN := $(VENV)/bin
ENDING :=
endif
INPUTS := pyproject.toml constraints.txt

# Bytecode is made when a module is first imported: most of what is installed never is. Without it, where an environment
# forbids it, each of the many short processes would compile what it imports.
export PYTHONDONTWRITEBYTECODE :=
PIP := $(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable

.PHONY: study test test-all lint dashboard docs clean

study: $(VENV)/.installed
	$(BIN)/surrogate-nas study $(STUDY) --resume $(ARGS)

test: lint
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

test-all: lint
	$(BIN)/python -m pytest -n 2 --dist worksteal --hypothesis-profile thorough

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers 2

dashboard: $(VENV)/.installed-dashboard
	$(BIN)/optuna-dashboard --host 127.0.0.1 runs/$(STUDY)/search.journal

docs: $(VENV)/.installed-docs
	$(BIN)/python -m mkdocs build --strict

# A pip that is older takes twice as long to find all packages.
$(BIN)/python$(ENDING):
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "surrogate_nas needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet 'pip>=26'

$(VENV)/.installed: $(BIN)/python$(ENDING) $(INPUTS)
	$(PIP) .
	touch $@

$(VENV)/.installed-dashboard: $(VENV)/.installed
	$(PIP) '.[dashboard]'
	touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(PIP) '.[docs]'
	touch $@

$(VENV)/.installed-dev: $(BIN)/python$(ENDING) $(INPUTS)
	$(PIP) '.[dev,dashboard,docs]'
	touch $(VENV)/.installed $@

clean:
	rm -rf $(VENV)

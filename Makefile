# The rare earths report book. `make help` lists what can be made.
# Everything is set up on first use, in .venv; nothing is installed outside this folder.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
DATA   ?=

export PYTHONUTF8 = 1
ifneq ($(DATA),)
export RAREEARTHS_DATA := $(abspath $(DATA))
endif

.DEFAULT_GOAL := help
.PHONY: help book check run test serve update bench extra lock clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

book: $(READY) ## run the chapters that are stale and build the site in _build/html
	@$(BIN)/python -m rareearths book

test: $(READY) ## all tests: data, library, chapters, site, browser
	@$(BIN)/python -m rareearths check
	@$(BIN)/python -m rareearths run --stale
	@$(BIN)/python -m rareearths build
	@$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile
	@echo "running each chapter again and comparing with what it has stored ..."
	@$(BIN)/python -m pytest --nbval book/chapters --numprocesses=auto --dist=loadscope -p no:cacheprovider

check: $(READY) ## check the tables in data/, or one of them: make check TABLE=name
	@$(BIN)/python -m rareearths check $(if $(TABLE),--table $(TABLE))

run: $(READY) ## run the chapters that are stale
	@$(BIN)/python -m rareearths run

serve: $(READY) ## show the built site on this machine
	@$(BIN)/python -m rareearths serve

update: $(READY) ## take in a new edition: make update FROM=path/to/official/file
	@$(BIN)/python -m rareearths update $(if $(FROM),--from "$(FROM)") $(if $(YES),--yes)

bench: $(READY) ## measure page weights and build times, into bench/results.md
	@$(BIN)/python bench/bench.py

extra: $(READY) ## add what only ensembles on a cluster and the bench need
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-extra.txt

lock: $(READY) ## make requirements.txt and requirements-extra.txt anew from the .in files
	@$(BIN)/python -m pip install --quiet "$$(grep '^# uv ' requirements.in | sed 's/^# uv //')"
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header requirements-extra.in -o requirements-extra.txt

clean: ## remove the built site and what was set up
	rm -rf _build $(VENV) rareearths.egg-info .pytest_cache

$(READY): requirements.txt pyproject.toml
	@command -v git >/dev/null || { echo "git is missing: install git, then run make again"; exit 1; }
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) --version) is too old: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "this Python has no venv: install it (on Debian and Ubuntu: apt install python3-venv), then run make again"; exit 1; }
	@echo "setting up $(VENV) (once; a minute or two) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

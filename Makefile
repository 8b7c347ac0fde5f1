# `make run` and `make test` do all their own set-up; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= $(shell nproc)
STAMP := $(VENV)/.installed
CONFIG ?= config.yaml
TAKEN ?= workflow/config/transfer.yaml
MORE ?= # one file more, merged over TAKEN

.PHONY: help run detector test test-system lint format schema pictures pins bench clean
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

run: export CONFIG := $(CONFIG)
run: $(STAMP) ## install, run the default study, print where its report is; goes on after a kill
	@$(BIN)/thermalign run --cores $(CORES) --configfile "$$CONFIG"

detector: export TAKEN := $(TAKEN)
detector: export MORE := $(MORE)
detector: $(STAMP) ## train a finder of faces and landmarks to take home; weights, ONNX, model card
	@$(BIN)/thermalign run --detector --cores $(CORES) --configfile "$$TAKEN" \
		$${MORE:+--configfile "$$MORE"}

test: $(STAMP) ## install and run the tests
	@$(BIN)/python -m pytest -n $(CORES) --dist loadfile

test-system: $(STAMP) ## tests that need system packages or minutes
	@$(BIN)/python -m pytest -m slow -o addopts="--strict-markers -q"

lint: $(STAMP) ## ruff, snakefmt, mypy, snakemake --lint
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/snakefmt --check Snakefile workflow && \
		$(BIN)/mypy && $(BIN)/snakemake --lint

format: $(STAMP) ## format Python and Snakemake files
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format . ; $(BIN)/snakefmt Snakefile workflow

schema: $(STAMP) ## write the schema of the configuration, docs/configuration.md and docs/tables.md from the code
	@$(BIN)/python -m thermalign.config.export && $(BIN)/python -m thermalign.schemas.document

pictures: $(STAMP) ## draw the pictures of README.md from the finished default study
	@$(BIN)/python docs/pictures.py

pins: ## lock the conda environments: envs/*.pin.txt, where conda and a channel answer
	@.ci/pins

bench: $(STAMP) ## every benchmark, one after the other
	@for file in benchmarks/*.py; do $(BIN)/python $$file || exit 1; done

clean: ## remove results, keep the installation
	@find results -mindepth 1 ! -name README.md -delete

$(STAMP): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "Install Python 3.11 or newer: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than 3.11: install python3.11 and run make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "Install the venv module: apt-get install python3-venv"; exit 1; }
	@echo "Installing into $(VENV) (once; a few minutes) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,onnx]'
	@touch $@

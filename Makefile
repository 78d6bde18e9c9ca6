# Everything runs from a virtual environment in .venv; it is made once and again only when
# pyproject.toml changes. Each target is safe to repeat.

PYTHON ?= python3
# From six rounds on an interval of the median can be one of 95 %.
ROUNDS ?= 6
DEMO_TIMES := results/reference/java-expose
DEMO_OUT ?= results/demo-$(shell date +%Y%m%d-%H%M%S)
PYTEST_ARGS ?=
# Only tests that neither build nor measure anything may run side by side.
PARALLEL ?= --numprocesses auto --dist worksteal
# Generated cases for each builder and engine, and what decides them and samples of orderings.
N ?= 330
SEED ?= 1

VENV := .venv
BIN := $(VENV)/bin
BENCH := $(BIN)/bench
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Exit status of the project where there is no engine and no way to get one; see README.
NO_ENGINE := 3

.DEFAULT_GOAL := help
.PHONY: help demo engine engines bases test test-fast conformance orderings savings lint format clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## Answer from builds whether EXPOSE should go earlier (Java)
	@$(demo_engine); \
	if [ $$status = $(NO_ENGINE) ]; then $(demo_simulated); \
	elif [ $$status = 0 ]; then $(BENCH) bases build maven openjdk || exit; $(call demo_run,); fi; \
	exit $$status

engine: $(VENV)/.installed
	$(BENCH) engine start --install

engines: engine
	$(BENCH) engine start --release sid --image-store graphdriver
	$(BENCH) engine start --release sid --image-store containerd

bases: engine
	$(BENCH) bases build --all

test: $(VENV)/.installed-dev lint bases engines ## Run every test, on three real engines, and lint
	$(BIN)/python -m pytest -m "not engine and not speed" $(PARALLEL) $(PYTEST_ARGS)
	$(BIN)/python -m pytest -m "engine or speed" $(PYTEST_ARGS)

test-fast: $(VENV)/.installed-dev ## Run the tests that need no engine
	$(BIN)/python -m pytest -m "not engine and not speed" $(PARALLEL) $(PYTEST_ARGS)
	$(BIN)/python -m pytest -m speed $(PYTEST_ARGS)

conformance: $(VENV)/.installed-dev engine ## Compare the cache model with real builders (N=, SEED=, ENGINE=, BUILDER=)
	$(BIN)/python -m tests.conformance --cases $(N) --seed $(SEED) \
	  $(addprefix --engine ,$(ENGINE)) $(addprefix --builder ,$(BUILDER)) \
	  --rules tests/conformance/rules --results results/conformance

orderings: $(VENV)/.installed-dev bases ## Build legal orderings, compare their images (N=, SEED=, ENGINE=, BUILDER=)
	$(BIN)/python -m tests.orderings.proof --applications --generated $(N) --seed $(SEED) \
	  $(addprefix --engine ,$(ENGINE)) $(addprefix --builder ,$(BUILDER)) \
	  --results results/orderings

savings: $(VENV)/.installed-dev bases ## Measure what bench advise saves on the applications; goes on where it ended
	$(BIN)/python -m tests.advising.savings --rounds $(ROUNDS)

lint: $(VENV)/.installed-dev ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev ## Bring the code into form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove .venv and caches; keeps results and engines (bench engine stop --all --purge)
	rm -rf $(VENV) build .mypy_cache .pytest_cache .ruff_cache .hypothesis ./*.egg-info
	find bench tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: pyproject.toml
	@$(call make_venv)
	$(PIP) install --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) install --editable '.[dev]'
	@touch $@

# Debian's python3 comes without ensurepip: its package is installed where that is possible.
define make_venv
set -e; \
command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed: install Python 3.11 or newer" >&2; exit 2; }; \
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
  echo "$(PYTHON) is older than 3.11: make PYTHON=python3.11 …" >&2; exit 2; }; \
if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
    echo "installing python3-venv"; \
    DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND; \
    apt-get update --quiet=2 && \
    apt-get install --quiet=2 --yes --no-install-recommends python3-venv >/dev/null; \
  else \
    echo "$(PYTHON) cannot make a virtual environment: install the package python3-venv" >&2; \
    exit $(NO_ENGINE); \
  fi; \
fi; \
$(PYTHON) -m venv $(VENV)
endef

# Looks for an engine and sets status. First silently and without installing: where none can be had,
# the first line of the demo says that it is simulated. An installation takes a while and can fail, so
# that is told before.
define demo_engine
status=0; said=$$($(BENCH) engine start 2>&1) || status=$$?; \
if [ $$status = 0 ]; then echo "$$said"; \
elif [ $$status = $(NO_ENGINE) ] && [ -z "$$DOCKER_HOST" ] && [ "$$(id -u)" = 0 ] \
    && command -v apt-get >/dev/null; then \
  echo "installing a Docker Engine; if that cannot be, the demo is SIMULATED"; \
  status=0; $(BENCH) engine start --install || status=$$?; said=; \
fi
endef

# A broken expectation (status 1) is a result: the report is made, then the status is kept.
define demo_run
status=0; out='$(DEMO_OUT)'; \
$(BENCH) run scenarios/java-iotd --variant as-written --variant metadata-first \
  --change edit-source --change edit-port --rounds $(ROUNDS) --out "$$out" $(1) || status=$$?; \
if [ -f "$$out/run.json" ]; then $(BENCH) report "$$out" || status=$$?; fi
endef

define demo_simulated
echo "SIMULATED: nothing is built, since no Docker Engine can be had here;" \
  "step times are those of $(DEMO_TIMES)"; \
[ -z "$$said" ] || echo "$$said"; \
$(call demo_run,--builder simulated --times $(DEMO_TIMES)); \
echo "SIMULATED: no build was made and no figure above was measured; make demo measures" \
  "where a Docker Engine can be had"
endef

# Two commands do everything: `make map` and `make test`. They need make and Python 3.11 or newer, nothing else.
#   PYTHON=/path/to/python3.12   the Python to use (otherwise the first suitable one found)
#   VENV=folder                  the virtual environment (otherwise .venv)

VENV ?= .venv
STUDY ?= configs/yongchuan.yaml
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
export PYTHONUTF8 := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help map test check bench docs sample clean

help: ## List the commands
	@grep -E '^[a-z]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z]+):.*## (.*)/make \1|\2/' | \
	  while IFS='|' read -r name text; do printf '%-14s %s\n' "$$name" "$$text"; done

map: $(VENV)/.installed ## Install, run the sample study and say where its map is
	@$(BIN)/facility-coverage run $(STUDY) > $(VENV)/.map
	@echo "The map is ready. Open this file in a browser: $$(cat $(VENV)/.map)"

test: $(VENV)/.installed-test ## Install what the tests need and run them
	$(BIN)/python -m pytest

check: $(VENV)/.installed-check ## Style, types, imports between rooms, tests and doctests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

bench: $(VENV)/.installed-bench ## Measure the program against its peers
	$(BIN)/python benchmarks/run.py

docs: $(VENV)/.installed-docs ## Build the documentation; a warning is an error
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -b html docs docs/_build/html
	@echo "The documentation is ready: docs/_build/html/index.html"

sample: $(VENV)/.installed ## Write the sample anew: layers/yongchuan and configs
	$(BIN)/facility-coverage sample . --overwrite

clean: ## Remove what was built, but no map
	rm -rf $(VENV) build dist docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests benchmarks docs -type d -name __pycache__ -prune -exec rm -rf {} +

# One stamp for each set of libraries: pip runs once for every change of pyproject.toml.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "Installing facility-coverage and its libraries into $(VENV) (some minutes the first time) …"
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.installed-%: pyproject.toml | $(BIN)/python
	@echo "Installing facility-coverage and what '$*' needs into $(VENV) …"
	@$(PIP) install --editable '.[$*]'
	@touch $(VENV)/.installed $@

$(BIN)/python:
	@python=''; \
	for name in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
	  if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then python="$$name"; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo 'Python 3.11 or newer is needed, and $(if $(PYTHON),$(PYTHON) is not that,none was found).' >&2; \
	  echo 'Install it, or name one: make $(or $(firstword $(MAKECMDGOALS)),map) PYTHON=/path/to/python3.12' >&2; \
	  exit 1; \
	fi; \
	echo "Creating $(VENV) with $$("$$python" -V)"; \
	"$$python" -m venv $(VENV) || { \
	  rm -rf $(VENV); \
	  echo "$$python cannot create virtual environments. On Debian or Ubuntu: apt install python3-venv" >&2; \
	  exit 1; \
	}

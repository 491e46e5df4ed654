# The same commands by hand and in CI. Everything is installed into .venv from pins with hashes.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes
SOURCES := src tests bench tools docs examples

.PHONY: setup demo test test-system check docs bench readme schemas answers pins clean

setup: .venv/run.stamp

.venv/run.stamp: requirements/run.txt pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'opportune needs Python 3.11 or newer, this is ' + sys.version)"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) -r requirements/run.txt
	$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-build-isolation --no-deps --editable .
	touch $@

.venv/dev.stamp: .venv/run.stamp requirements/dev.txt
	$(PIP) -r requirements/dev.txt
	touch $@

demo: setup  ## the main job on real data
	$(BIN)/opportune run examples/reengagement

test: .venv/dev.stamp  ## in two processes; the tests of a file stay in one
	$(BIN)/python -m pytest tests docs -m "not system" --numprocesses=2 --dist=loadfile

test-system: .venv/dev.stamp  ## real Chromium, real processes
	bash tools/install-system-parts.sh
	$(BIN)/python -m pytest tests -m system

check: .venv/dev.stamp docs
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/dev.stamp
	$(BIN)/mkdocs build --strict --quiet

.venv/bench.stamp: .venv/dev.stamp requirements/bench.txt
	$(PIP) -r requirements/bench.txt
	touch $@

bench: .venv/bench.stamp  ## every figure that the docs claim, beside a rival
	$(BIN)/python -m bench

readme: demo .venv/dev.stamp  ## write the demo's tables into README.md and take its pictures; needs Chromium
	$(BIN)/python tools/write_readme.py
	$(BIN)/python tools/take_pictures.py
	$(BIN)/python tools/draw_tutorial.py

schemas: .venv/dev.stamp  ## write the JSON Schemas after a record changed
	$(BIN)/python tools/write_schemas.py

answers: .venv/dev.stamp  ## write what the broken examples are answered, after a message changed
	$(BIN)/python examples/broken/make.py --answers

pins:  ## regenerate requirements; needs uv on the path
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
	  --no-emit-find-links --quiet --custom-compile-command "make pins" \
	  pyproject.toml requirements/build.in -o requirements/run.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
	  --no-emit-find-links --quiet --custom-compile-command "make pins" \
	  requirements/dev.in -c requirements/run.txt -o requirements/dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
	  --no-emit-find-links --quiet --custom-compile-command "make pins" \
	  requirements/bench.in -c requirements/run.txt -c requirements/dev.txt -o requirements/bench.txt

clean:
	rm -rf .venv site examples/*/out

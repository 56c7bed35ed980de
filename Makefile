# Everything a checkout can do, one command each. The first one sets up .venv (tools/bootstrap.py).
PYTHON ?= python3
OVSAM_VENV := $(or $(OVSAM_VENV),.venv)
# For pytest; -n 8 on a machine with more cores.
PYTEST_ARGS ?= -n 2 --dist worksteal
# More for ovsam app, for example --port 8080.
APP_ARGS ?=
RUN := "$(OVSAM_VENV)/bin/python"
# Label Studio has an environment of its own: it wants other versions of much.
LABEL_STUDIO_VENV ?= .venv-label-studio
LABEL_STUDIO_VERSION ?= 1.23.2
# Ray's, which sees the packages of the other one.
RAY_VENV ?= .venv-ray
export OVSAM_VENV

.DEFAULT_GOAL := help
.PHONY: help venv demo app test test-app test-gpu test-label-studio test-ray check mini mini-more mini-smoke mini-table clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv:  ## the virtual environment, made once
	@$(PYTHON) tools/bootstrap.py

demo: venv  ## segment and name what is in photographs, and in scenes of pictograms
	$(RUN) tools/demo_photographs.py
	$(RUN) tools/demo.py

app: venv  ## the annotation page, at http://127.0.0.1:7860
	$(RUN) -m ovsam_cli app $(APP_ARGS)

# Bytecode is kept, with the assertions that pytest rewrote, or each process rewrites them again.
# Memory is kept as well: handed back after every tensor, it is cleared again for the next one.
test: venv  ## the tests, without the slow ones
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=137438953472 \
		$(RUN) -m pytest -m "not slow" $(PYTEST_ARGS)

test-app: venv  ## the annotation page in headless Chromium; pictures in work_dirs/app
	OMP_NUM_THREADS=1 $(RUN) -m pytest -rs tests/e2e/test_annotation_*.py $(PYTEST_ARGS)

test-gpu: venv  ## predictor, operators and a training step of each stage on a CUDA GPU
	$(RUN) -m pytest -rs tests/gpu

test-label-studio: venv $(LABEL_STUDIO_VENV)/installed-$(LABEL_STUDIO_VERSION)  ## the ML backend with a running Label Studio, installed once
	OMP_NUM_THREADS=1 OVSAM_LABEL_STUDIO=$(LABEL_STUDIO_VENV)/bin/label-studio \
		$(RUN) -m pytest -rs tests/e2e/test_label_studio.py $(PYTEST_ARGS)

$(LABEL_STUDIO_VENV)/installed-%: | venv
	$(RUN) -m venv --clear $(LABEL_STUDIO_VENV)
	$(LABEL_STUDIO_VENV)/bin/python -m pip install --quiet label-studio==$*
	touch $@

test-ray: $(RAY_VENV)/installed  ## bulk labelling on a Ray cluster of this machine, installed once
	OMP_NUM_THREADS=1 $(RAY_VENV)/bin/python -m pytest -rs -k ray tests/bulk/test_on_ray.py tests/slurm

$(RAY_VENV)/installed: requirements/ray.txt | venv
	$(RUN) -m venv --clear $(RAY_VENV)
	$(RUN) -c "import site; print(f'import site; site.addsitedir({site.getsitepackages()[0]!r})')" \
		> "$$($(RAY_VENV)/bin/python -c 'import site; print(site.getsitepackages()[0])')/ovsam.pth"
	$(RUN) -m pip freeze --exclude-editable > $(RAY_VENV)/kept.txt
	$(RAY_VENV)/bin/python -m pip install --quiet -r requirements/ray.txt -c $(RAY_VENV)/kept.txt
	touch $@

check: venv  ## style, docstrings, types; the parts that are installed
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(RUN) -m ovsam.env

mini: venv  ## train and test the small world from nothing
	$(RUN) tools/make_mini.py

mini-more: mini  ## then detectors, a decoder that takes corrections, and yardsticks that learn
	$(RUN) tools/make_mini.py --more

mini-smoke: venv  ## every step of make mini and mini-more for a few iterations
	rm -rf work_dirs/mini-smoke
	$(RUN) tools/make_mini.py --smoke --out work_dirs/mini-smoke
	$(RUN) tools/make_mini.py --smoke --more --out work_dirs/mini-smoke

mini-table: venv  ## evaluate the shipped weights of the small world
	$(RUN) tools/make_mini.py --evaluate --out work_dirs/mini-table

clean:  ## remove what the targets made, but for data and trained weights
	@# An environment without this file is not tools/bootstrap.py's.
	@if [ -f "$(OVSAM_VENV)/ovsam-setup" ]; then rm -rf "$(OVSAM_VENV)"; \
	elif [ -e "$(OVSAM_VENV)" ]; then echo "$(OVSAM_VENV) stays: make venv did not make it"; fi
	rm -rf "$(OVSAM_VENV).lock" "$(OVSAM_VENV).log" $(LABEL_STUDIO_VENV) $(RAY_VENV) build dist projects/*.egg-info .pytest_cache .ruff_cache demo_out
	find projects tests tools configs -name __pycache__ -type d -prune -exec rm -rf {} +

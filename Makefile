# Everything a fresh Debian-like machine needs, from one clone:
#
#   make setup     what the others begin with; says what it does and how far it is
#   make demo      set up, then watch a device meet a changed world, and its report
#   make test      set up, then pass the tests
#   make test-all  the same with the full product of the regression matrix
#   make fuzz      10^7 executions of the decoders and the runtime, on any bytes
#   make coverage  which conditions of the firmware the tests show to matter
#   make figures   count what docs/performance.md tabulates
#   make accuracy  learn what docs/rules.md and docs/spiking.md tabulate; goes on where it was ended
#   make memory-table  count what docs/memory.md tabulates
#   make format-table  count what docs/integers.md tabulates
#   make gallery   make the pictures of docs/gallery.md
#   make reliability   disturb what docs/reliability.md tabulates
#   make nightly   a thousand seeds of all faults
#   make schemas   write hil/schemas/*.json anew, after a change of what files may hold
#   make wheelhouse    fetch what setup installs, for `make setup WHEELHOUSE=wheelhouse`
#   make lock      pin the packages anew after a change of pyproject.toml
#   make docs      the documentation as a site, its links and anchors checked
#   make dist      build the sdist and the wheel, and check them
#   make mutants   plant every small defect of a list, and see which test notices
#
# Nothing is installed outside .venv, except by `make system-packages`, which
# the others call when QEMU or a C compiler is missing.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# What was set up knows for whom: CI wants packages that a person does without.
READY  := $(VENV)/ready$(if $(CI),-for-ci)
JOBS   ?= 2
export HIL_DATA ?= $(wildcard $(abspath ../shared/data))

.PHONY: help setup wheelhouse lock docs dist demo test test-all fuzz coverage figures gallery reliability nightly mutants accuracy memory-table format-table schemas lint system-packages clean

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

setup: $(READY)

# Packages are those of requirements.lock, by their hashes; with WHEELHOUSE=folder from
# that folder, without a network.
PACKAGES := $(BIN)/python .ci/packages.py
$(READY): pyproject.toml requirements.lock .ci/apt.sh .ci/packages.py
	@echo "setup    one to three minutes, once: system packages, then $(VENV)"
	@.ci/apt.sh --check || .ci/apt.sh
	@$(PYTHON) -m venv $(VENV)
	@$(PACKAGES) install $(if $(WHEELHOUSE),--wheelhouse '$(WHEELHOUSE)')
	@$(BIN)/python -m compileall -q targets codegen emulation hil
	@touch $(VENV)/ready $@

# For this computer's kind and this Python: what `make setup` installs, as files.
wheelhouse:
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@$(PACKAGES) fetch --wheelhouse $(or $(WHEELHOUSE),wheelhouse)

# The newest versions that pyproject.toml allows with UPGRADE=1; else what is pinned
# stays as long as it fits. For every Python and system that the project runs on.
lock:
	@$(PYTHON) -m venv build/lock
	@build/lock/bin/pip install --quiet uv
	build/lock/bin/uv pip compile --quiet --universal --python-version 3.10 \
	    --generate-hashes --no-emit-index-url $(if $(UPGRADE),--upgrade) --extra test \
	    --custom-compile-command 'make lock' pyproject.toml -o requirements.lock

# Into build/docs/site. What makes it is in an environment of its own.
docs:
	@$(PYTHON) -m venv build/docs-tools
	@build/docs-tools/bin/pip install --quiet 'sphinx>=7.4' 'myst-parser>=4' 'furo>=2024.8'
	@build/docs-tools/bin/python .ci/docs.py build/docs

# Both archives, the wheel built of the sdist. What builds and checks them is in an
# environment of its own; the tests try the wheel in a clean one.
dist: setup
	@rm -rf dist
	@$(PYTHON) -m venv build/dist
	@build/dist/bin/pip install --quiet 'build>=1.2' 'twine>=6.1'
	build/dist/bin/python -m build --outdir dist .
	build/dist/bin/twine check --strict dist/*
	$(BIN)/pytest tests/house/test_wheel.py

system-packages:
	.ci/apt.sh

demo: setup
	@echo "demo     half a minute on two idle cores: two devices learn 3,274 digits each"
	$(BIN)/hil demo drift

# Each process of a test that imports numpy starts without threads of its own, and takes
# what an earlier one has compiled of our Python.
test: export OPENBLAS_NUM_THREADS := 1
test: export PYTHONDONTWRITEBYTECODE :=
test: setup
	$(BIN)/pytest -n $(JOBS) --dist worksteal -m 'not full'

test-all: setup
	$(BIN)/pytest -n $(JOBS)

# What docs/security.md tells of; about half an hour on two cores. A finding ends
# the harness that has it, and is named with its input.
FUZZ_RUNS ?= 10000000
fuzz: setup
	HIL_FUZZ_RUNS=$(FUZZ_RUNS) $(BIN)/pytest tests/fuzz -n $(JOBS) --dist worksteal \
	    --timeout 0 --hypothesis-profile=fuzz

# What docs/security.md tabulates: some minutes. Ends with exit code 1 for a condition of
# the firmware that is neither shown nor in tests/coverage/exempt.toml.
coverage: setup
	$(BIN)/python -m tests.coverage

# The rows of docs/performance.md, counted anew: about ten minutes.
DEEP := 64-256-256-256-256-256-256-256-256-10
STEP := $(BIN)/hil bench step --markdown
figures: setup
	@for rule in dfa bp; do \
	    $(STEP) --data digits --rule $$rule --against c; \
	    $(STEP) --data mnist --rule $$rule --steps 20 --against c; \
	    $(STEP) --data dense --rule $$rule --steps 10 --against c; \
	done 2>&1 | grep '^|'
	@for vlen in 128 512 1024; do \
	    $(STEP) --vlen $$vlen --data digits --variants chosen,length-agnostic; \
	    $(STEP) --vlen $$vlen --data mnist --steps 20 --variants chosen,length-agnostic; \
	    $(STEP) --vlen $$vlen --data dense --steps 10 --variants chosen,length-agnostic; \
	done 2>&1 | grep '^|'
	@for vlen in 128 256 512 1024; do \
	    $(STEP) --vlen $$vlen --network 64-128-64-10 --steps 40 --variants chosen,length-agnostic; \
	    $(STEP) --vlen $$vlen --network $(DEEP) --steps 5 --variants chosen,length-agnostic; \
	done 2>&1 | grep '^|'
	@for rule in dfa bp; do \
	    $(STEP) --data dense --rule $$rule --steps 6 --schedule fused --variants chosen; \
	    $(STEP) --network $(DEEP) --rule $$rule --steps 6 --schedule fused --variants chosen; \
	done 2>&1 | grep '^|'

# The tables of docs/reliability.md: about a quarter of an hour.
reliability: setup
	$(BIN)/hil bench faults
	$(BIN)/hil bench attacks

# The disk that fills at 50 moments (docs/reliability.md): three minutes, as root.
disk-full: setup
	$(BIN)/python tests/hil/full_disk.py 50

# The pictures of docs/gallery.md, from each demo some: two minutes. All data is needed
# (docs/demos.md).
GALLERY := drift:accuracy,tasks-1,first-layer-1,confusion-1 new-class:accuracy,tasks-1,tasks-2 \
    personal:tasks-3,tasks-4 stream:accuracy classic:accuracy,first-layer-1 \
    phases:cycles-before-1,cycles-after-1 spikes:raster-1,first-layer-1 when:foretold-1,foretold-2
gallery: setup
	@rm -rf build/gallery docs/gallery/*.png
	@for row in $(GALLERY); do \
	    demo=$${row%%:*}; \
	    $(BIN)/hil demo $$demo --target host --out build/gallery || exit 1; \
	    $(BIN)/hil report build/gallery/*-demo-$$demo --png build/gallery/$$demo || exit 1; \
	    for name in $$(echo $${row#*:} | tr , ' '); do \
	        cp build/gallery/$$demo/$$name.png docs/gallery/$$demo-$$name.png; \
	    done; \
	done

# A thousand seeds of all faults together: for a night.
nightly: setup docs
	$(BIN)/pytest -n $(JOBS) -m full tests/regression/test_exactly_once.py

# The table of docs/mutants.md, about a quarter of an hour; it fails where a defect is
# missed. ONLY=words takes those that have the words in their name or file.
ONLY ?=
mutants: setup
	$(BIN)/python -m tests.mutants --jobs $(JOBS) --only '$(ONLY)'

# The table of docs/rules.md; MNIST and Fashion-MNIST come with it. Then those of
# reservoirs in docs/spiking.md, for which HIL_DATA must name a folder with hapt/ in it.
accuracy: setup
	$(BIN)/hil sweep examples/accuracy.toml --confirm qemu-rv64gcv --jobs $(JOBS)
	$(BIN)/python examples/raw_windows.py build/raw-windows.npz
	$(BIN)/hil sweep examples/reservoirs.toml --confirm qemu-rv64gcv --jobs $(JOBS)

# The tables of docs/memory.md; whatever rules there are get a row.
BILL := $(BIN)/hil memory --markdown
memory-table: setup
	@$(BILL) --data mnist --network 784-128-10
	@echo; $(BILL) --network $(DEEP) --target qemu-rv64gc
	@echo; $(BILL) --network $(DEEP)

# The table of docs/integers.md: what halves in i16, and quarters in i8.
format-table: setup
	@$(BILL) --formats --target mps2-an386 --network 64-24-10
	@echo; $(BILL) --formats --target mps2-an386 --network 64-128-64-10
	@echo; $(BILL) --formats --target mps2-an386 --network 784-128-10 --data mnist

# What editors read; a test holds them against what `hil schema` prints.
SCHEMAS := experiment sweep demo bench target record demo-record step
schemas: setup
	@for kind in $(SCHEMAS); do \
	    $(BIN)/hil schema $$kind > hil/schemas/$$kind.json || exit 1; \
	done

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) runs build dist

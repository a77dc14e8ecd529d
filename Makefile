# Everything a fresh Debian-like machine needs, from one clone:
#
#   make demo      set up, then teach a network on a device and prove it
#   make test      set up, then pass the tests
#   make test-all  the same with the full product of the regression matrix
#
# Nothing is installed outside .venv, except by `make system-packages`, which
# the others call when QEMU or a C compiler is missing.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready
JOBS   ?= 2
export HIL_DATA ?= $(wildcard $(abspath ../shared/data))

.PHONY: help setup demo test test-all lint system-packages clean

help:
	@sed -n 's/^#\( \{0,1\}\)//p' Makefile | head -9

setup: $(READY)

$(READY): pyproject.toml .ci/apt.sh
	.ci/apt.sh --check || .ci/apt.sh
	@echo "setting up $(VENV): about two minutes, once"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[test]'
	@touch $@

system-packages:
	.ci/apt.sh

demo: setup
	$(BIN)/hil run

test: setup
	$(BIN)/pytest -n $(JOBS) -m 'not full'

test-all: setup
	$(BIN)/pytest -n $(JOBS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) runs build dist

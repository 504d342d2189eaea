.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8000
HOST ?= 127.0.0.1
BIN := .venv/bin

.PHONY: help install run worker test lint types format clean $(addprefix bench-,pipeline starter)

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

install: .venv/.installed ## create the virtual environment and install everything

.venv/.installed: requirements.lock
	@echo "· installing into .venv (a few minutes the first time)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "Proofsheet needs Python 3.11: set PYTHON=/path/to/python3.11."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@touch $@

run: install ## run the whole house on one host (PORT=8000 HOST=127.0.0.1)
	@exec $(BIN)/python -m config.supervisor --host $(HOST) --port $(PORT)

worker: install ## run one render worker for the queue of this host's tier (QUEUE=gpu)
	@exec $(BIN)/celery -A config worker -P threads -c 1 -Q $(or $(QUEUE),gpu) --loglevel INFO

test: install ## run all tests on their own embedded servers
	@exec $(BIN)/python -m pytest

lint: install ## check style, templates and the rooms' import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@git ls-files 'templates/*.html' | xargs $(BIN)/djade --check --target-version 5.2

types: install ## check types, strictly
	@$(BIN)/mypy .

format: install ## format code and templates in place
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .
	@git ls-files 'templates/*.html' | xargs $(BIN)/djade --target-version 5.2 || true

bench-pipeline: install ## time every stage of an image's way (200 images)
	@exec $(BIN)/python -m tests.bench.bench_pipeline

bench-starter: install ## recall@10 of the starter model, seconds an image
	@exec $(BIN)/python -m tests.bench.bench_starter

clean: ## remove the virtual environment and all local data
	@rm -rf .venv var

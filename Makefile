# Thin layer over `lsgmer`: every target installs and builds what it needs, and says so.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# onnxruntime-node's install script fetches CUDA libraries; the GPU install is a target of its own.
export ONNXRUNTIME_NODE_INSTALL ?= skip

LSGMER := node packages/cli/dist/main.js
INSTALLED := node_modules/.lsgmer-installed
BUILT := packages/cli/dist/.lsgmer-built
SOURCES := $(shell find packages -path '*/src/*' -name '*.ts' -not -path '*/node_modules/*') packages/onnx/bundle-gradients.mjs packages/report/bundle-explorer.mjs tsconfig.base.json

# what is handed on to lsgmer where the user gives it
opt = $(if $($(1)),--$(2) "$($(1))")
DATASET_OPT = $(call opt,DATASET,dataset)

## setup: install the packages and build lsgmer (every other target does this by itself)
.PHONY: setup
setup: $(BUILT)

$(INSTALLED): package-lock.json package.json $(wildcard packages/*/package.json)
	@command -v node >/dev/null || { echo 'lsgmer needs Node.js 20.19 or newer: https://nodejs.org' >&2; exit 2; }
	@echo 'lsgmer: installing packages (npm ci) ...'
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(BUILT): $(INSTALLED) $(SOURCES)
	@echo 'lsgmer: building ...'
	@npm run --silent build
	@touch $@

## setup-gpu: fetch onnxruntime's CUDA libraries (network; Linux x64 with an NVIDIA GPU)
.PHONY: setup-gpu
setup-gpu: $(INSTALLED)
	cd node_modules/onnxruntime-node && ONNXRUNTIME_NODE_INSTALL=cuda12 node ./script/install

## demo: the whole pipeline on a generated corpus: manifest, features, five folds of training, table
.PHONY: demo
demo: $(BUILT)
	@$(LSGMER) demo $(ARGS)

## test: all tests
.PHONY: test
test: $(BUILT)
	@npx vitest run $(ARGS)

## test-browser: the report's pages in a headless Chromium (CHROMIUM_PATH, or Debian's package chromium)
.PHONY: test-browser
test-browser: $(BUILT)
	@npx vitest run --config test/browser/vitest.config.ts $(ARGS)

## test-nodes: all tests on Node 22 and 24 as well (npm brings them)
.PHONY: test-nodes
test-nodes: $(BUILT)
	@for version in 22.23.3 24.21.0; do npx --yes -p node@$$version -c 'node -v && vitest run $(ARGS)' || exit 1; done

## test-services: transfers over real servers   nginx, rclone and OpenStack Swift on loopback; installs them as root
.PHONY: test-services
test-services: $(BUILT)
	@node test/services/run.mjs $(ARGS)

## test-webgpu: a GPU against the CPU             Mesa's software Vulkan, fetched by apt; or ARGS="--device webgpu" (cuda)
.PHONY: test-webgpu
test-webgpu: $(BUILT)
	@node test/webgpu/run.mjs $(ARGS)

## test-golden: what Python sees of shards and exports   PYTHON=.venv/bin/python; it says which packages it needs
.PHONY: test-golden
test-golden: $(BUILT)
	@$(or $(PYTHON),python3) test/golden/python/check.py
	@$(or $(PYTHON),python3) test/golden/store/store.py --check

## check: types, lint and format
.PHONY: check
check: $(BUILT)
	@npx tsc -p test/tsconfig.json
	@npx oxlint --type-aware --deny-warnings
	@npx oxfmt --check .

## doctor: what this machine has: Node, memory, disk, ffmpeg, devices, stores, roots
.PHONY: doctor
doctor: $(BUILT)
	@$(LSGMER) doctor $(ARGS)

## manifest: read a corpus into a manifest        make manifest DATASET=iemocap ROOT=/data/IEMOCAP_full_release
.PHONY: manifest
manifest: $(BUILT)
	@$(LSGMER) manifest build $(DATASET_OPT) $(call opt,ROOT,root) $(ARGS)

## validate: every problem of a corpus at once    make validate DATASET=iemocap
.PHONY: validate
validate: $(BUILT)
	@$(LSGMER) manifest validate $(DATASET_OPT) $(ARGS)

## features: run the encoders once                make features DATASET=iemocap FEATURES=tiny
.PHONY: features
features: $(BUILT)
	@$(LSGMER) features extract $(DATASET_OPT) $(call opt,ROOT,root) $(call opt,FEATURES,preset) $(ARGS)

## push: send manifest and features           make push DATASET=meld REMOTE=s3://bucket/prefix
.PHONY: push
push: $(BUILT)
	@$(LSGMER) push $(DATASET_OPT) $(call opt,REMOTE,remote) $(call opt,FEATURE,feature) $(ARGS)

## pull: fetch manifest and features          make pull DATASET=meld REMOTE=https://host/path
.PHONY: pull
pull: $(BUILT)
	@$(LSGMER) pull $(DATASET_OPT) $(call opt,REMOTE,remote) $(call opt,FEATURE,feature) $(ARGS)

## train: train and evaluate the head          make train DATASET=iemocap FOLD=all SEEDS=5 ABLATION=all
.PHONY: train
train: $(BUILT)
	@$(LSGMER) train $(DATASET_OPT) $(call opt,FOLD,fold) $(call opt,SEEDS,seeds) $(call opt,ABLATION,ablation) $(call opt,RECIPE,recipe) $(ARGS)

## report: tables, figures, utterance explorer  make report DATASET=demo ARGS=--serve
.PHONY: report
report: $(BUILT)
	@$(LSGMER) report $(DATASET_OPT) $(call opt,ROOT,root) $(ARGS)

## bench: our training step beside PyTorch's (needs PYTHON with torch); bench/*.mjs holds more
.PHONY: bench
bench: $(BUILT)
	@node bench/run.mjs $(ARGS)

## clean: remove what was built (not the store, not the runs)
.PHONY: clean
clean:
	rm -rf packages/*/dist packages/*/dist-client packages/*/generated $(INSTALLED)

## help: this list
.PHONY: help
help:
	@echo 'make TARGET [DATASET=..] [ARGS="..."]; `node packages/cli/dist/main.js --help` tells more'
	@sed -n 's/^## //p' $(firstword $(MAKEFILE_LIST)) | awk -F': ' '{ printf "  %-13s %s\n", $$1, substr($$0, length($$1) + 3) }'

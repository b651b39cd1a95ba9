# Watchhouse. `make help` lists what there is; the comments after ## are its text.
SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
GO          ?= go
WEB         := dashboard/web
FUZZTIME    ?= 20s
BIN         := bin/watchhouse
INFLUXD     := bin/influxd
GOLANGCI    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOFUMPT     := mvdan.cc/gofumpt@v0.12.0
WEB_SOURCES := $(shell find $(WEB)/src $(WEB)/index.html $(WEB)/package-lock.json -type f 2>/dev/null)

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z][a-z-]*:.*## /{printf "  \033[1m%-10s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install what the tests need (as root on Debian), or say what to install
	@scripts/setup

.PHONY: build
build: web ## build bin/watchhouse with the page inside
	@echo "building $(BIN)"
	@$(GO) build -trimpath -o $(BIN) ./cmd/watchhouse

.PHONY: influxd
influxd: $(INFLUXD) ## build the development InfluxDB into bin/influxd
$(INFLUXD): tools/influxd/go.sum
	@echo "building $(INFLUXD) (InfluxDB 1.8.10; about a minute the first time)"
	@mkdir -p bin
	@cd tools/influxd && $(GO) build -trimpath -o ../../$(INFLUXD).part github.com/influxdata/influxdb/cmd/influxd
	@mv $(INFLUXD).part $(INFLUXD)

.PHONY: run
run: build ## try it: hub, InfluxDB and the 402 simulated devices of the example
	@($(MAKE) --no-print-directory influxd >bin/influxd.log 2>&1 || echo "InfluxDB could not be built: see bin/influxd.log" >&2) &
	@exec $(BIN) demo

.PHONY: web
web: $(WEB)/dist/index.html ## build the page into dashboard/web/dist
$(WEB)/dist/index.html: $(WEB)/node_modules/.package-lock.json $(WEB)/openapi.json $(WEB_SOURCES)
	@echo "building the page"
	@cd $(WEB) && npm run --silent build
$(WEB)/node_modules/.package-lock.json: $(WEB)/package-lock.json
	@echo "installing the page's packages"
	@cd $(WEB) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

.PHONY: test
test: setup ## every test a developer needs before a push (browser, crashes, real InfluxDB)
	@scripts/test

.PHONY: lint
lint: ## vet, formatting, golangci-lint, the page's type check
	@scripts/lint $(GOFUMPT) $(GOLANGCI)

.PHONY: fmt
fmt: ## format the Go code
	@$(GO) run $(GOFUMPT) -w $$(git ls-files '*.go')

.PHONY: bench
bench: build influxd ## every benchmark, then the load figures of docs/benchmarks.md
	@$(GO) test -run '^$$' -bench . -benchmem ./...
	@$(BIN) bench

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME each, and the long run of the power cuts
	@scripts/fuzz $(FUZZTIME)

.PHONY: docs
docs: ## regenerate docs/configuration.md and the OpenAPI description
	@$(GO) run ./cmd/watchhouse docs configuration >docs/configuration.md.part && mv docs/configuration.md.part docs/configuration.md
	@$(GO) run ./cmd/watchhouse docs openapi >$(WEB)/openapi.json.part && mv $(WEB)/openapi.json.part $(WEB)/openapi.json

.PHONY: clean
clean: ## remove what was built
	@rm -rf bin $(WEB)/node_modules
	@find $(WEB)/dist -mindepth 1 ! -name .keep -delete 2>/dev/null || true

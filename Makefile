# make run: build, make credentials if there are none, start. make test: install what is missing, run every test.
SHELL      := /bin/bash
GO         ?= go
VERSION    ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BIN        := bin/reverb
LINT       := bin/golangci-lint
LINT_AT    := v2.15.0
PACKAGES   := $(shell $(GO) list ./... 2>/dev/null | grep -v -e /e2e)
FUZZ_TIME  ?= 5s

.PHONY: run build test check tools lint unit race fuzz e2e js autobahn bench clean fmt

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN) ./cmd/reverb

run: build
	@$(BIN) install --quiet
	@$(BIN) start --hint

test check: tools lint unit race fuzz e2e js autobahn
	@echo "all tests passed"

tools: $(LINT) e2e/js/node_modules/.package-lock.json
	@./e2e/install.sh

$(LINT):
	GOBIN=$(CURDIR)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_AT)

e2e/js/node_modules/.package-lock.json: e2e/js/package-lock.json
	cd e2e/js && npm ci --no-audit --no-fund

fmt:
	$(LINT) fmt

lint: $(LINT)
	$(LINT) run

unit:
	$(GO) test -shuffle=on $(PACKAGES)

race:
	$(GO) test -race -shuffle=on $(PACKAGES)

# Every fuzz target for a moment: enough to see that none fails on its seeds and their nearest neighbours.
fuzz:
	@set -e; for p in $(PACKAGES); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
	    echo "fuzz $$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZ_TIME) $$p; \
	  done; done

e2e:
	$(GO) test -count=1 ./e2e

js: build
	cd e2e/js && REVERB_BIN=$(CURDIR)/$(BIN) npm test

autobahn:
	./internal/autobahn/run.sh

bench:
	$(GO) test -run '^$$' -bench . -benchmem -count=5 $(PACKAGES)

clean:
	rm -rf bin e2e/js/node_modules

# make run: build, make credentials if there are none, start. make test: install what is missing, run every test. make test-quick: the tests that
# need Go alone. make install: put the program, its manual page and its completion in place.
SHELL     := /bin/bash
GO        ?= go
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BIN       := bin/reverb
LINT_AT   := v2.15.0
LINT      := bin/golangci-lint-$(LINT_AT)
PACKAGES   = $(shell $(GO) list ./... | grep -v /e2e)
# Inputs for each fuzz target. Not a time: Go's fuzzer then ends in "context deadline exceeded" now and then.
FUZZ      ?= 20000x

.PHONY: run build install test test-quick tools lint unit race fuzz e2e chaos js autobahn bench microbench clean fmt

# The first target, so that plain `make` builds.
build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.release=$(VERSION)" -o $(BIN) ./cmd/reverb

# The server says what to open, once it listens, with the port and the key that are in force.
run: build
	@grep -qs '^REVERB_APP_KEY=' .env || $(BIN) install
	@$(BIN) start --first-event=docs/first-event.html

# DESTDIR and PREFIX are those of every Makefile.
PREFIX    ?= /usr/local
install: build
	install -D -m 0755 $(BIN) $(DESTDIR)$(PREFIX)/bin/reverb
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	$(BIN) man > $(DESTDIR)$(PREFIX)/share/man/man1/reverb.1
	$(BIN) completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/reverb

test: tools lint unit race fuzz e2e js autobahn
	@echo "all tests passed"

# Installs nothing and leaves out what drives other programs: less than three minutes.
QUICK     := ./protocol ./channels ./facts ./outbound ./transport/... ./server ./api ./config ./poller ./scaling ./management/... ./node/handover ./metrics ./internal/house ./internal/nearest
test-quick:
	$(GO) vet $(QUICK)
	$(GO) test -shuffle=on $(QUICK)

tools: $(LINT) e2e/js/node_modules/.package-lock.json
	@./e2e/install.sh

$(LINT):
	GOBIN=$(CURDIR)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_AT)
	mv bin/golangci-lint $@

e2e/js/node_modules/.package-lock.json: e2e/js/package-lock.json
	cd e2e/js && npm ci --no-audit --no-fund

fmt:
	$(LINT) fmt

lint: $(LINT)
	$(LINT) run --allow-parallel-runners

unit:
	$(GO) test -shuffle=on $(PACKAGES)

race:
	$(GO) test -race -shuffle=on $(PACKAGES)

# Every fuzz target for a moment: enough to see that none fails on its seeds and their nearest neighbours.
fuzz:
	@set -e; for p in $(PACKAGES); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
	    echo "fuzz $$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZ) -fuzzminimizetime 200x $$p; \
	  done; done

# Then once more with every node in a cluster of one: nothing that a client sees may change. Left out are two tests that replace the program,
# which is then behind a script that sets the cluster, those that have a Redis of their own, and two whose figures are of
# a node alone.
NOT_IN_A_CLUSTER := HandoverStartsWhatIsThereNow|HandoverThatFailsChangesNothing|RestartSignalWithoutItsCache|RedisLostWithUnreadLog|RedisOnAUnixSocket|NodeAloneIsGoneInASecond|IdleConnections

e2e:
	$(GO) test -count=1 ./e2e ./e2e/cluster
	cd e2e/sdk && $(GO) vet ./... && $(GO) test -count=1 ./...
	$(GO) test -count=1 ./e2e/chaos
	@set -e; port=$$(( 20000 + RANDOM % 10000 )); \
	  redis-server --port $$port --bind 127.0.0.1 --save "" --appendonly no >/dev/null & pid=$$!; trap "kill $$pid" EXIT; \
	  REVERB_E2E_REDIS=$$port $(GO) test -count=1 -skip '$(NOT_IN_A_CLUSTER)' ./e2e

# What e2e/chaos does in its short form above, with the lease of production, several times, and with 10,000 members: about an hour.
chaos:
	$(GO) test -count=1 -v -timeout 150m ./e2e/chaos -chaos.long

js: build
	cd e2e/js && REVERB_BIN=$(CURDIR)/$(BIN) npm test

autobahn:
	./internal/autobahn/run.sh

# Every number of docs/performance.md, in less than ten minutes: the load test against the program of this tree, server on core 0 and client on
# core 1 where there are two. Tables to the terminal, pages and JSON to bench/out.
BENCH     := bin/reverb bench run --servers bench/profiles/servers.toml $(shell [ "$$(nproc 2>/dev/null || echo 1)" -gt 1 ] && echo --client-cpus 1)
PROFILES  ?= idle connect broadcast cost channels whisper publish presence churn slow

bench: build
	@mkdir -p bench/out
	@status=0; \
	$(BENCH) --json bench/out/performance.json --html bench/out/performance.html --server reverb $(PROFILES:%=bench/profiles/%.toml) || status=1; \
	if command -v cc >/dev/null; then \
	  cc -O2 -Wall -Wextra -o bin/floor bench/floor/floor.c && \
	  $(BENCH) --rounds 3 --json bench/out/floor.json --html bench/out/floor.html --compare reverb,floor bench/profiles/floor.toml || status=1; \
	fi; \
	echo "bench/out/performance.html has the charts"; exit $$status

# The inside without sockets.
microbench:
	$(GO) test -run '^$$' -bench . -benchmem -count=5 $(PACKAGES)

clean:
	rm -rf bin bench/out e2e/js/node_modules

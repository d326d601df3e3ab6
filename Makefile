# Everything here needs Go alone; a part that needs more says SKIP and why, and with
# CI=true a skip is a failure.

GO          ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
BUILD       := -trimpath -ldflags="-s -w"

.PHONY: all build install release test soak bench bench-neo4j bench-reference demo picture lint

all: build

build: ## both binaries into bin/
	$(GO) build $(BUILD) -o bin/ ./cmd/...

install: ## both binaries to GOBIN
	$(GO) install $(BUILD) ./cmd/...

release: ## archives of both programs for every system into dist/, with their sums
	$(GO) run ./internal/release

test: ## everything, with the race detector; kill loops at a tenth
	$(GO) run ./internal/maketest

soak: ## as test, kill loops whole
	AG_SOAK=1 $(GO) run ./internal/maketest -timeout 4h

bench: ## the table of speed and memory, Neo4j included; BENCH=-quick for a tenth of it
	$(GO) run ./internal/bench $(BENCH)

bench-neo4j: ## Neo4j with a million actions in it: speed, and answers
	$(GO) run ./internal/bench -only growth $(BENCH)

bench-reference: ## Neo4j written by us and by the reference, which Python 3.11 and pip install for the time
	$(GO) run ./internal/bench -only reference $(BENCH)

demo: ## a recorded session, played through the hook, and what the graph says of it
	@$(GO) run ./internal/demo

picture: build ## docs/diff.svg, what the README shows of diff
	rm -rf dist/quickstart && mkdir -p dist && bin/ag-sessiond quickstart --dir dist/quickstart >/dev/null
	PATH="$$PWD/bin:$$PATH" AG_HOME=dist/quickstart $(GO) run ./internal/picture ag-sessiond diff 4adf4e78 9f540f2c > docs/diff.svg
	rm -rf dist/quickstart

lint: ## gofmt, vet, staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l . ; echo 'not formatted: run gofmt -w on these'; exit 1; }
	$(GO) vet ./...
	@if $(GO) run $(STATICCHECK) -version >/dev/null 2>&1; then \
		echo '$(GO) run $(STATICCHECK) ./...'; $(GO) run $(STATICCHECK) ./...; \
	else \
		echo 'SKIP: staticcheck ($(STATICCHECK) cannot be downloaded)'; test "$$CI" != true; \
	fi

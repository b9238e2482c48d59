# Needs only Go; the tools are pinned in .ci/lint and run through `go run`.
.PHONY: check test race lint format bench soak fuzz live sdk-test generate demo

GO        ?= go
FUZZTIME  ?= 10s
BENCHTIME ?= 1s

check: lint race fuzz ## what a change must pass: lint, race tests, short fuzzing

test: ## the README's test command
	$(GO) test ./...

race: ## the same with the race detector (needs a C compiler)
	$(GO) test -race ./...

lint:
	.ci/lint run

format:
	.ci/lint fmt

bench: ## speed and counts of requests, as Go benchmarks
	$(GO) test -run '^$$' -bench . -benchtime $(BENCHTIME) -benchmem ./...

fuzz: ## every fuzz target for FUZZTIME
	.ci/fuzz $(FUZZTIME)

soak: ## longer versions of the random suites: kill -9, random migrations, crashes, memory
	BACKSTEP_SOAK=1 .ci/keyless $(GO) test -count=1 -timeout 6h -run 'Kill|Random|Crash|Memory|DiffKeeps' -v \
		./cmd ./internal/randomtest ./engine ./appwritetest ./schema

live: ## every suite over the embedded server, against a real one
	@test -n "$$BACKSTEP_LIVE_ENDPOINT" -a -n "$$BACKSTEP_LIVE_PROJECT" -a -n "$$BACKSTEP_LIVE_KEY" || \
		{ echo "set BACKSTEP_LIVE_ENDPOINT, BACKSTEP_LIVE_PROJECT and BACKSTEP_LIVE_KEY" >&2; exit 2; }
	.ci/keyless $(GO) test -count=1 -p 1 -timeout 6h -v \
		./appwrite/... ./steps/... ./migrations/... ./schema/... ./internal/... ./cmd/...

sdk-test: ## Appwrite's own Node SDK against `backstep dev` (needs node and npm)
	testdata/node-sdk/run

generate:
	$(GO) generate ./...

demo:
	$(GO) run ./cmd/backstep demo

# Needs only Go; the tools are pinned in .ci/lint and run through `go run`.
.PHONY: check test race lint format bench crash mutate soak fuzz live sdk-test generate demo

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

crash: ## stop processes at every boundary of every kind of step, with both journals, on three versions
	BACKSTEP_CRASH=1 .ci/keyless -q $(GO) test -count=1 -timeout 2h -v -run 'Boundary|AtEveryRequest|AnyByte' \
		./steps ./journal/...

mutate: ## take each safeguard out of the code and want a test to fail for it
	$(GO) run ./internal/mutate/run

soak: ## longer versions of the random suites: kill -9, random migrations and histories, crashes, disks, differences, memory
	BACKSTEP_SOAK=1 .ci/keyless $(GO) test -count=1 -timeout 12h -v \
		-run 'Kill|Random|Histories|Crash|Memory|DiffKeeps|Real|Order|ExactlyOnce|APrefix|Durable|Whatever' \
		./cmd ./engine/... ./internal/... ./appwritetest ./schema/... ./journal/...

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

# Every target goes over the project's modules. `make help` lists the targets.
MODULES  = . cmd/nlctl compat compat/nl fuzz/rivals bench
FUZZTIME = 10s
EACH     = set -e; for m in $(MODULES); do echo "== $$m"; (cd $$m && $(1)); done

.PHONY: help test race fuzz bench bench-smoke bench-readme bench-check bench-go overlay-nl lint cross

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

test: ## run the tests; as root, also the tests against the running kernel
	@$(call EACH,go test ./...)

race: ## run the tests under the race detector
	@$(call EACH,go test -race ./...)

fuzz: ## run every fuzz target for FUZZTIME each
	@go run ./internal/test/fuzzrun -time $(FUZZTIME) $(MODULES)

bench: ## compare with other libraries, as root; write bench/results and the README table
	@cd bench && go run . && go run . -charts && go run . -readme

bench-smoke: ## run every case and column of the comparison once, as root
	@cd bench && go run . -smoke

bench-readme: ## write the README table from bench/results
	@cd bench && go run . -charts && go run . -readme

bench-check: ## check that the README table agrees with bench/results
	@cd bench && go run . -check

bench-go: ## run every Go benchmark
	@$(call EACH,go test -run '^$$' -bench . ./...)

overlay-nl: ## put compat/nl into vishvananda/netlink: diff, its tests before and after, ratios; as root
	@cd compat/nl && go run ./overlay -o $$(mktemp -u -t overlay-nl.XXXXXX)
	@cd compat/nl && go test -count=1 -run TestSuite -v .
	@cd compat/nl && go test -run '^$$' -bench . .

lint: ## check format, go vet, staticcheck and go.mod files
	@scripts/lint $(MODULES)

cross: ## build and vet for other systems; run the codec's tests on other processors
	@scripts/cross

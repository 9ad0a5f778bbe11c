# Every target goes over the project's modules. `make help` lists the targets.
MODULES  = . cmd/nlctl compat/differential fuzz/rivals bench
FUZZTIME = 10s
EACH     = set -e; for m in $(MODULES); do echo "== $$m"; (cd $$m && $(1)); done

.PHONY: help test race fuzz bench bench-smoke bench-readme bench-check bench-go lint cross

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

test: ## run the tests; as root, those against the live kernel too
	@$(call EACH,go test ./...)

race: ## run the tests under the race detector
	@$(call EACH,go test -race ./...)

fuzz: ## run every fuzz target for FUZZTIME each
	@go run ./internal/test/fuzzrun -time $(FUZZTIME) $(MODULES)

bench: ## compare with other libraries, as root; write bench/results and the table of the README
	@cd bench && go run . && go run . -charts && go run . -readme

bench-smoke: ## run every case and column of that once, as root
	@cd bench && go run . -smoke

bench-readme: ## write the table of the README from bench/results
	@cd bench && go run . -charts && go run . -readme

bench-check: ## check that the table of the README is that of bench/results
	@cd bench && go run . -check

bench-go: ## run every Go benchmark
	@$(call EACH,go test -run '^$$' -bench . ./...)

lint: ## check format, go vet, staticcheck and go.mod files
	@scripts/lint $(MODULES)

cross: ## build and vet for other systems; run the codec's tests on other processors
	@scripts/cross

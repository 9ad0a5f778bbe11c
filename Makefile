# Every target goes over the project's modules. `make help` lists the targets.
MODULES  = . cmd/nlctl compat/differential compat/suites fuzz/rivals bench
FUZZTIME = 10s
EACH     = set -e; for m in $(MODULES); do echo "== $$m"; (cd $$m && $(1)); done

# They have a workspace of their own, or none: see compat/README.md.
APART    = compat/mdlayher compat/improvements compat/bench

.PHONY: help test race compat suites fuzz bench bench-smoke bench-readme bench-check bench-go bench-compat lint cross

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

test: compat ## run the tests; as root, those against the live kernel too
	@$(call EACH,go test ./...)

race: ## run the tests under the race detector
	@$(call EACH,go test -race ./...)
	@$(MAKE) --no-print-directory compat TESTFLAGS=-race

compat: ## run the tests of compat/mdlayher, and those that run on the original too
	@echo "== compat/mdlayher" && cd compat/mdlayher && go test $(TESTFLAGS) ./...
	@echo "== compat/improvements, the original" && cd compat/improvements && GOWORK=off go test $(TESTFLAGS) ./...
	@echo "== compat/improvements, compat/mdlayher" && cd compat/improvements && GOWORK=off go test -modfile=compat.mod $(TESTFLAGS) ./...

suites: ## run the test suites of other modules on the original and on compat/mdlayher, as root
	@go run ./compat/suites $(SUITES)

fuzz: ## run every fuzz target for FUZZTIME each
	@go run ./internal/test/fuzzrun -time $(FUZZTIME) $(MODULES) compat/mdlayher

bench: ## compare with other libraries, as root; write bench/results and the table of the README
	@cd bench && go run . && go run . -charts && go run . -readme

bench-smoke: ## run every case and column of that once, as root
	@cd bench && go run . -smoke

bench-readme: ## write the table of the README from bench/results
	@cd bench && go run . -charts && go run . -readme

bench-check: ## check that the table of the README is that of bench/results
	@cd bench && go run . -check

bench-compat: ## compare compat/mdlayher with the original, as root; write compat/bench/results.md
	@cd compat/bench && GOWORK=off go run .

bench-go: ## run every Go benchmark
	@$(call EACH,go test -run '^$$' -bench . ./...)

lint: ## check format, go vet, staticcheck and go.mod files
	@scripts/lint $(MODULES) $(APART)

cross: ## build and vet for other systems; run the codec's tests on other processors
	@scripts/cross

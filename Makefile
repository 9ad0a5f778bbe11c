# Every target goes over the project's modules. `make help` lists the targets.
# bench is not in MODULES, because it downloads plotting libraries.
MODULES  = . ynl cmd/nlctl compat/differential compat/suites compat/nl fuzz/rivals tools
ALL      = $(MODULES) bench
# APART are the modules with a separate workspace, or none: see compat/README.md.
APART    = compat/mdlayher compat/improvements compat/bench
FUZZTIME = 10s
TEST     = go run ./internal/test/testrun $(MODULES)
EACH     = set -e; for m in $(ALL); do echo "== $$m"; (cd $$m && $(1)); done

.PHONY: help check test test-bench race compat suites fuzz bench bench-smoke bench-readme bench-check bench-go bench-compat kernels overlay-nl \
	lint fresh cross

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

check: ## check a change in a minute, without root: format, go vet, go.mod files, short tests
	@scripts/lint -quick . ynl cmd/nlctl
	@go run ./internal/test/testrun . ynl cmd/nlctl -- -short

test: compat ## run the tests and report skipped ones; as root, also the tests against the running kernel
	@$(TEST)
	@echo "Skipped: bench, which downloads plotting libraries (make test-bench)."

test-bench: ## run the tests of the comparisons
	@cd bench && go test ./...

race: ## run the tests under the race detector, without the suites of compat/nl
	@go run ./internal/test/testrun $(filter-out compat/nl,$(MODULES)) -- -race
	@go run ./internal/test/testrun compat/nl -- -race -short
	@$(MAKE) --no-print-directory compat TESTFLAGS=-race

compat: ## run the tests of compat/mdlayher, and the tests that also run with the original
	@echo "== compat/mdlayher" && cd compat/mdlayher && go test $(TESTFLAGS) ./...
	@echo "== compat/improvements, the original" && cd compat/improvements && GOWORK=off go test $(TESTFLAGS) ./...
	@echo "== compat/improvements, compat/mdlayher" && cd compat/improvements && GOWORK=off go test -modfile=compat.mod $(TESTFLAGS) ./...

suites: ## run the test suites of other modules with the original and with compat/mdlayher, as root
	@go run ./compat/suites $(SUITES)

fuzz: ## run every fuzz target for FUZZTIME each
	@go run ./internal/test/fuzzrun -time $(FUZZTIME) $(MODULES) compat/mdlayher

bench: ## compare with other libraries, as root; write bench/results and the README table
	@cd bench && go run . && go run . -charts && go run . -readme

bench-smoke: ## run every case and column of the comparison once, as root
	@cd bench && go run . -smoke

bench-readme: ## write the README table from bench/results
	@cd bench && go run . -charts && go run . -readme

bench-check: ## check that the README table agrees with bench/results
	@cd bench && go run . -check

bench-compat: ## compare compat/mdlayher with the original, as root; write compat/bench/results.md
	@cd compat/bench && GOWORK=off go run .

bench-go: ## run every Go benchmark
	@$(call EACH,go test -run '^$$' -bench . ./...)

kernels: ## run the tests on other kernels in virtual machines, as root; KERNELS="6.1 6.12" selects; write docs/kernels.md
	@go run ./internal/test/kernels -table docs/kernels.md $(KERNELS)

overlay-nl: ## apply compat/nl to a copy of vishvananda/netlink: diff, its tests without and with it, ratios; as root
	@cd compat/nl && go run ./overlay -o $$(mktemp -u -t overlay-nl.XXXXXX)
	@cd compat/nl && go test -count=1 -run TestSuite -v .
	@cd compat/nl && go test -run '^$$' -bench . .

lint: ## check format, go vet, staticcheck and go.mod files
	@scripts/lint $(ALL) $(APART)

fresh: ## build and vet every module of a fresh clone, which must stay clean
	@scripts/fresh

cross: ## build and vet for other systems; run the codec's tests on other processors
	@scripts/cross

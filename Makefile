# make, or make help, lists the targets.

.DEFAULT_GOAL := help
.PHONY: help run cluster build failpoint deps test lint generate e2e bench sim sim-pebble kills large partition chaos chaos-long chaos-selftest rolling load

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## run one node with demo users on http://127.0.0.1:8080
	go run ./cmd/parley dev

cluster: ## run three nodes on http://127.0.0.1:8081 to 8083
	@scripts/cluster.sh

build: ## build the programs into bin/
	go build -trimpath -o bin/ ./cmd/...

deps: ## install what building and testing need (root: apt packages too)
	@scripts/deps.sh

test: ## everything that must hold before a commit; needs no root
	@scripts/test.sh

lint: ## formatting, the rules of the house, vet, staticcheck, type checks
	@scripts/test.sh lint

generate: ## make the generated code, the SDK's bundles and the web page again
	@scripts/generate.sh

e2e: ## drive the built page in Chromium
	@scripts/test.sh e2e

bench: ## benchmarks of the hot pieces, then of a whole node
	@scripts/bench.sh

SEEDS ?= 1000
FIRST ?= 1

sim: ## simulate the replication core: SEEDS=N seeds from FIRST=S on
	@go run ./cluster/replication/sim/run -first $(FIRST) -seeds $(SEEDS)

sim-pebble: ## the same over Pebble on a file system that loses power
	@go test -c -o bin/sim-pebble.test ./cluster/replication/sim
	@bin/sim-pebble.test -test.timeout 0 -test.run SeedsHoldOverPebble -sim.seeds $(SEEDS) -sim.first $(FIRST)

KILLS ?= 50

kills: ## kill KILLS=N nodes of a cluster of processes under load
	@PARLEY_KILLS=$(KILLS) go test -count=1 -timeout 0 -v -run KillingNodes ./cluster/replication

large: ## move a replica of 1 GiB under load; fail over with 1,000,000 conversations
	@PARLEY_SHARD_MIB=1024 go test -count=1 -timeout 0 -v -run ReplicaMovesUnderLoad ./cluster/replication
	@PARLEY_CONVERSATIONS=1000000 go test -count=1 -timeout 0 -v -run FailoverDoesNotGrow ./cluster/replication

partition: ## cut nodes in network namespaces apart; needs root and iptables
	@scripts/partition.sh

LEDGER ?= docs/chaos-ledger.jsonl
HOURS ?= 8
CAMPAIGN = bin/parley-chaos campaign --parley bin/parley-failpoint --revision $$(git describe --always --dirty) --ledger $(LEDGER)

# The clock of this build can be set; else it is the same.
failpoint: build
	@go build -trimpath -tags failpoint -o bin/parley-failpoint ./cmd/parley

chaos: failpoint ## chaos runs for 10 minutes, into LEDGER=FILE; as root with all faults
	@$(CAMPAIGN) --for 10m

chaos-long: failpoint ## chaos runs for HOURS=N
	@$(CAMPAIGN) --for $(HOURS)h

chaos-selftest: ## chaos runs find each of the flaws that builds by tag have; needs root
	@scripts/chaos-selftest.sh

BASE ?=

rolling: ## roll a loaded cluster over a version step, and from revision BASE=REV and back
	@scripts/rolling.sh --step
	@scripts/rolling.sh $(BASE)

load: ## load a node, then three, with one scenario after the other
	@scripts/load.sh node
	@scripts/load.sh cluster

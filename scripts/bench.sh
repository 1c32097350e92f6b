#!/usr/bin/env bash
# Benchmarks of the hot pieces, then a whole node measured from outside, with
# fsync before every ack. Figures are reported, never judged: no absolute time
# makes this fail. Arguments go to "parley-load bench" (see its --help).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT

pieces() { go test -run '^$' -bench . -benchmem ./...; }
programs() { go build -o "$bin/" ./cmd/parley ./cmd/parley-load; }
node() { "$bin/parley-load" bench --parley "$bin/parley" "$@"; }

step "hot pieces" pieces
step "build" programs
step "one node" node "$@"

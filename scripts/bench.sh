#!/usr/bin/env bash
# Benchmarks of the hot pieces. Figures are reported, never judged: no absolute
# time makes this fail.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

pieces() { go test -run '^$' -bench . -benchmem ./...; }

step "hot pieces" pieces

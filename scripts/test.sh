#!/usr/bin/env bash
# The checks, cheap ones first. Without an argument all of them; "lint" stops
# before anything is executed; "e2e" drives the page only, "chaos" is a
# chaos run. Needs no root.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

tools() {
  local lacks=()
  has go || lacks+=("go")
  node_is_new || lacks+=("node 20 or later")
  mapfile -t -O "${#lacks[@]}" lacks < <(packages_missing)
  ! has node || npm_is_current || lacks+=("the npm modules of package-lock.json")
  if [ "${#lacks[@]}" -gt 0 ]; then
    printf 'missing: %s\n' "${lacks[@]}" >&2
    echo "run 'make deps', as root for system packages" >&2
    return 1
  fi
}

format() {
  local unformatted
  unformatted=$(find . -name node_modules -prune -o -name '*.go' -print0 | xargs -0 -r gofmt -l)
  if [ -n "$unformatted" ]; then
    printf 'not formatted, run gofmt -w:\n%s\n' "$unformatted" >&2
    return 1
  fi
}

# -count=1: the Go cache does not see files that are new to the tree.
house_rules() { go test -count=1 ./internal/archtest; }
# The chaos tool drives Linux; everything else runs on other systems as well.
portable() {
  local os packages
  mapfile -t packages < <(go list ./... | grep -v chaos)
  for os in windows darwin; do
    GOOS=$os GOARCH=arm64 go build "${packages[@]}"
    GOOS=$os GOARCH=arm64 go vet "${packages[@]}"
  done
}
static() { go tool -modfile=tools.mod staticcheck ./...; }
race() {
  go test -race ./...
  go test -race -tags failpoint ./internal/failpoint
}
# The same seeds each time, and some that nobody has seen; a bad one is printed.
simulate() {
  go run ./cluster/replication/sim/run -first 1 -seeds "${PARLEY_SEEDS:-2000}"
  go run ./cluster/replication/sim/run -first "$(date +%s)000" -seeds 500
  go run ./cluster/replication/sim/run -first "$(date +%s)000" -seeds 1000 -restore
  # Too slow under the race detector: the simulator finds what is planted, and a
  # store survives a cut or a turned bit wherever it comes.
  go test -run PlantedBugs ./cluster/replication/sim
  go test -run 'Crash|Cut|Damaged' ./storage/pebble
}
# The promises under faults that need neither root nor strace; a machine that has
# much to do may take its time. A minute has room for some of the kinds; this seed
# makes many, an older copy among them.
chaos() {
  local dir
  dir=$(mktemp -d)
  go build -o "$dir" ./cmd/parley-chaos
  go build -tags failpoint -o "$dir/parley" ./cmd/parley
  if ! "$dir/parley-chaos" run --parley "$dir/parley" --seed 634 --duration 60s --rate 150 --slow 6 --loopback \
    --faults kill,kill-leader,kill-all,wipe,restore-old-copy,pause,pause-leader,restart,roll,drain,partition,deafen,mute,reset,clock,storm,slow-clients,hostile,token-flood \
    --report "$dir/report" >"$dir/words"; then
    cat "$dir/words"
    echo "kept in $dir" >&2
    return 1
  fi
  rm -rf "$dir"
}
sdk_types() { npm -w sdk/js run --silent check; }
# The SDK and the page are tested against the real program.
program() { go build -o "$PARLEY_BIN" ./cmd/parley; }
sdk_tests() { npm -w sdk/js run --silent test; }
web_types() { npm -w web run --silent check; }
web_tests() { npm -w web run --silent test; }
browser() { PARLEY_CHROMIUM=$(chromium_path) npm -w web run --silent e2e; }

# From the first revision of this format and back, under load, and over a version
# step.
rolling() {
  scripts/rolling.sh --step
  scripts/rolling.sh
}

# Promises under load; nothing here is timed.
load() { scripts/load.sh check; }

lint() {
  step "gofmt" format
  step "rules of the house" house_rules
  step "go vet" go vet ./...
  step "Windows and macOS" portable
  step "staticcheck" static
  step "SDK types" sdk_types
  step "web types" web_types
}

case "${1:-all}" in
lint | e2e | chaos | all) ;;
*)
  echo "usage: scripts/test.sh [lint|e2e|chaos]" >&2
  exit 2
  ;;
esac

bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
export PARLEY_BIN=$bin/parley

began=$SECONDS
step "tools" tools
case "${1:-all}" in
lint)
  # The page's types are those of the built SDK.
  step "build the SDK" npm -w sdk/js run --silent build
  lint
  ;;
e2e)
  step "build the program" program
  step "browser tests" browser
  ;;
chaos)
  step "build the program" program
  step "chaos" chaos
  ;;
all)
  scripts/generate.sh --check
  lint
  step "Go tests with the race detector" race
  step "simulator" simulate
  step "build the program" program
  step "SDK tests" sdk_tests
  step "web tests" web_tests
  step "browser tests" browser
  step "chaos" chaos
  step "rolling upgrade" rolling
  step "load" load
  ;;
esac
printf '== all good: %d s\n' $((SECONDS - began))

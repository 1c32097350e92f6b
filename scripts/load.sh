#!/usr/bin/env bash
# Loads a node, or with "cluster" three of them, started for the purpose on
# loopback, with one scenario after the other; "check" is a short run that looks
# at promises only. Results go to load-results/.
set -euo pipefail
cd "$(dirname "$0")/.."

mode=${1:-node}
duration=${DURATION:-10s}
users=${USERS:-1000}
app=1:parley-load-0123456789abcdefghij
results=load-results
bin=$(mktemp -d)
go build -trimpath -o "$bin/" ./cmd/parley ./cmd/parley-load

pids=()
cleanup() {
  [ "${#pids[@]}" -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
  wait || true
  rm -rf "$bin"
}
trap cleanup EXIT

# start NUMBER ARGUMENT...: starts a node.
start() {
  local i=$1
  shift
  "$bin/parley" serve --addr "127.0.0.1:1809$i" --admin-addr 127.0.0.1:0 --data "$bin/data-$i" --app "$app" "$@" >"$bin/node-$i.log" 2>&1 &
  pids+=($!)
}

# ready NUMBER: waits until a node serves.
ready() {
  for _ in $(seq 300); do
    if curl -fs -o /dev/null "http://127.0.0.1:1809$1/readyz"; then return; fi
    sleep 0.1
  done
  cat "$bin/node-$1.log" >&2
  return 1
}

generator=("$bin/parley-load")

# run NAME ARGUMENT...: makes a run and keeps its result and page.
run() {
  local name=$1
  shift
  printf -- '-- %s: %s\n' "$name" "$*"
  "${generator[@]}" run --target "$targets" --app "$app" --pids "$(IFS=,; echo "${pids[*]}")" --dir "$bin" \
    --json "$results/$name.json" --html "$results/$name.html" "$@"
}

mkdir -p "$results"
targets=http://127.0.0.1:18091
case "$mode" in
check)
  start 1
  ready 1
  run check-peer --users 100 --closed 1 --duration 3s
  run check-mixed --users 100 --rate 200 --scenario mixed --storm 50 --duration 4s
  exit
  ;;
node)
  start 1
  ready 1
  ;;
cluster)
  for i in 1 2 3; do
    others=()
    for other in 1 2 3; do
      [ "$other" = "$i" ] || others+=(--join "127.0.0.1:1829$other")
    done
    start "$i" --gossip-addr "127.0.0.1:1829$i" --expect 3 "${others[@]}"
  done
  for i in 1 2 3; do ready "$i"; done
  targets+=,http://127.0.0.1:18092,http://127.0.0.1:18093
  ;;
*)
  echo "usage: scripts/load.sh [node|cluster|check]" >&2
  exit 2
  ;;
esac
run connect --scenario connect --users $((10 * users)) --duration 10s
run rate --rate 500 --users "$users" --duration "$duration"
run closed --closed 1 --users "$users" --duration "$duration"
run cold --scenario cold --closed 1 --users "$users" --duration "$duration"
run mixed --scenario mixed --rate 500 --users "$users" --duration "$duration"
# Twice what the closed loop reached, whatever that is here.
peak=$(sed -E 's/.*"acked_per_second":([0-9]+).*/\1/' "$results/closed.json")
run overload --rate $((2 * peak)) --users "$users" --duration "$duration"
# The generator has one core, so that the node has another one to itself.
generator=(taskset -c 0 "$bin/parley-load")
for scenario in peer cold; do
  run "storm-$scenario" --scenario "$scenario" --rate 500 --users $((11 * users)) --storm $((10 * users)) --processes 3 --duration 30s
done
generator=("$bin/parley-load")
run deaf --rate 2000 --users $((2 * users)) --deaf "$users" --duration 20s

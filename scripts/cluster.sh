#!/usr/bin/env bash
# Runs three nodes of a cluster on this machine with demo users and a page each,
# until Ctrl-C. The data stays in data/cluster.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=data/cluster
mkdir -p "$dir"
go build -o bin/parley ./cmd/parley

pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait' EXIT
for n in 1 2 3; do
  join=()
  for other in 1 2 3; do
    if [ "$other" != "$n" ]; then join+=(--join "127.0.0.1:798$other"); fi
  done
  bin/parley dev --addr "127.0.0.1:808$n" --admin-addr "127.0.0.1:770$n" --data "$dir/n$n" --secrets "$dir" \
    --gossip-addr "127.0.0.1:798$n" --expect 3 "${join[@]}" &
  pids+=($!)
done
cat <<TEXT
Three nodes: http://127.0.0.1:8081 http://127.0.0.1:8082 http://127.0.0.1:8083
Open two of them, sign in as two of the demo users, and kill a node: ${pids[*]}
The cluster: http://127.0.0.1:7701/cluster with the token in $dir/admin-token,
or bin/parley status --admin http://127.0.0.1:7701 --token-file $dir/admin-token
TEXT
wait

#!/usr/bin/env bash
# Rolls a loaded cluster of three nodes from an older revision to this one and
# back, node by node, and checks every acknowledgement, delivery and log.
#   scripts/rolling.sh BASE     from a revision of the same format
#   scripts/rolling.sh          from the revision that began this format
#   scripts/rolling.sh --step   from this revision to the next version, which the
#                               tag nextversion makes of the same source
# SECONDS_OF_LOAD, RATE and SLOW are for parley-chaos. Needs no root.
set -euo pipefail
cd "$(dirname "$0")/.."

format_file=storage/format.go
format() { sed -n 's/^const Format = //p'; }

skip() {
  echo "rolling: skipped: $*"
  exit 0
}

dir=$(mktemp -d)
tree=$dir/base-tree
cleanup() {
  local status=$?
  if [ -d "$tree" ]; then git worktree remove --force "$tree"; fi
  if [ "$status" -eq 0 ]; then rm -rf "$dir"; else echo "rolling: kept in $dir" >&2; fi
}
trap cleanup EXIT

case "${1:-}" in
--step)
  from="this revision"
  go build -trimpath -o "$dir/base" ./cmd/parley
  go build -trimpath -tags nextversion -o "$dir/parley" ./cmd/parley
  ;;
*)
  git rev-parse --git-dir >/dev/null 2>&1 || skip "no git history to take an older revision from"
  base=${1:-$(git log -1 --format=%H -- "$format_file")}
  [ -n "$base" ] || skip "no revision has $format_file yet"
  base=$(git rev-parse --verify --quiet "$base^{commit}") || { echo "rolling: there is no revision $1" >&2; exit 2; }
  if [ $# -eq 0 ] && git diff --quiet "$base"; then skip "this revision is the first one of its format"; fi
  theirs=$(git show "$base:$format_file" 2>/dev/null | format || true)
  ours=$(format <"$format_file")
  if [ "$theirs" != "$ours" ]; then
    echo "rolling: $base has format ${theirs:-none}, this revision format $ours: a cluster cannot be rolled between them" >&2
    [ $# -eq 0 ] && skip "the format is not committed yet"
    exit 2
  fi
  from=$(git log -1 --format='%h %s' "$base")
  git worktree add --quiet --detach "$tree" "$base"
  (cd "$tree" && go build -trimpath -o "$dir/base" ./cmd/parley)
  go build -trimpath -o "$dir/parley" ./cmd/parley
  ;;
esac
go build -trimpath -o "$dir/parley-chaos" ./cmd/parley-chaos

echo "rolling: from $from, forth and back"
timeout --kill-after 20 400 "$dir/parley-chaos" run --parley "$dir/parley" --base "$dir/base" --faults upgrade \
  --duration "${SECONDS_OF_LOAD:-20}s" --rate "${RATE:-150}" --slow "${SLOW:-3}" --shards 16 --loopback --report "$dir/report" | tee "$dir/words"
grep -q '^FAULT  *ok' "$dir/words" || { echo "rolling: the time was too short to roll" >&2; exit 1; }

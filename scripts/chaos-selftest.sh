#!/usr/bin/env bash
# Shows that chaos runs find flaws: each build of internal/broken must break the
# promise that it is about, and the build without a flaw must break none in the
# same run. Needs root. FLAWS="fence reads" tries those only.
set -euo pipefail
cd "$(dirname "$0")/.."

# tag, faults, seconds, seed, promise (see parley-chaos run)
flaws='
fsync   power-cut-all       40 1 I1
dedupe  kill                20 1 I2
fence   pause-leader        60 1 I3
fanout  none                20 1 I4
reads   partition,deafen    60 1 I6
tenants none                20 1 I12
'

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go build -o "$dir/parley-chaos" ./cmd/parley-chaos
go build -o "$dir/healthy" ./cmd/parley

# run BUILD FAULTS SECONDS SEED makes a run and gives its exit code.
run() {
  "$dir/parley-chaos" run --parley "$dir/$1" --faults "$2" --duration "$3s" --seed "$4" --report "$dir/report" >"$dir/words" 2>&1
}

failed=0
verdict() { # verdict GOOD WORDS...
  local good=$1
  shift
  if [ "$good" = yes ]; then
    printf 'ok    %s\n' "$*"
  else
    failed=1
    printf 'FAIL  %s\n' "$*"
    grep -v ' acked, ' "$dir/words" || true
  fi
}

while read -r tag faults seconds seed promise; do
  case " ${FLAWS:-$tag} " in *" $tag "*) ;; *) continue ;; esac
  [ -n "$tag" ] || continue
  go build -tags "broken_$tag" -o "$dir/$tag" ./cmd/parley
  code=0
  run "$tag" "$faults" "$seconds" "$seed" || code=$?
  good=no
  if [ "$code" = 1 ] && grep -q "^$promise  *broken" "$dir/words"; then good=yes; fi
  verdict $good "$tag: exit code $code, broken: $(sed -n 's/^\([A-Z0-9]*\)  *broken.*/\1/p' "$dir/words" | xargs), wanted: $promise"
  code=0
  run healthy "$faults" "$seconds" "$seed" || code=$?
  good=no
  if [ "$code" = 0 ]; then good=yes; fi
  verdict $good "healthy with the faults and the seed of $tag: exit code $code"
done <<<"$flaws"
exit $failed

#!/usr/bin/env bash
# Makes everything that is generated and committed: Go, TypeScript and the list
# of methods from proto/, the SDK's stand-alone bundles and package, the web page. It builds beside the tree
# first; then it replaces what the tree holds, or with --check compares the two
# and fails when they differ.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

bundles=(zim.js zim.iife.js)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

contracts() {
  node_modules/.bin/buf lint
  node_modules/.bin/buf generate --exclude-path proto/wire -o "$out"
  node_modules/.bin/buf generate --template buf.gen.wire.yaml --path proto/wire -o "$out"
  node_modules/.bin/buf generate --template buf.gen.ts.yaml --path proto/wire --path proto/method -o "$out"
}

sdk() {
  rm -rf sdk/js/dist
  npm -w sdk/js run --silent build
  mkdir -p "$out/transport/web/sdk"
  local bundle
  # The package has the source maps; a page has no use for a dead link to one.
  for bundle in "${bundles[@]}"; do sed '/^\/\/# sourceMappingURL=/d' "sdk/js/dist/$bundle" >"$out/transport/web/sdk/$bundle"; done
  node sdk/js/scripts/pack.mjs "$out/transport/web/sdk/parley-chat.tgz"
}

page() {
  npm -w web run --silent build -- --outDir "$out/transport/web/dist" --emptyOutDir
}

compress() {
  node scripts/compress.mjs "$out/transport/web/dist" "$out/transport/web/sdk"
}

# generated TREE: the generated files of a tree, sorted.
generated() {
  (cd "$1" && {
    find proto -name '*.pb.go' -type f
    echo docs/methods.md
    for folder in sdk/js/src/gen transport/web/dist transport/web/sdk; do
      if [ -d "$folder" ]; then find "$folder" -type f; fi
    done
  } | LC_ALL=C sort)
}

compare() {
  local name stale=0
  while read -r name; do
    case $name in
      # compress.mjs compares what these expand to.
      *.br | *.gz) if [ -f "$name" ] && [ -f "$out/$name" ]; then continue; fi ;;
      *.tgz) if cmp -s <(gzip -dc "$name") <(gzip -dc "$out/$name"); then continue; fi ;;
      *) if cmp -s "$name" "$out/$name"; then continue; fi ;;
    esac
    echo "stale: $name" >&2
    stale=1
  done < <({ generated .; generated "$out"; } | LC_ALL=C sort -u)
  if [ "$stale" -ne 0 ]; then
    echo "run 'make generate' and commit what it changes" >&2
    return 1
  fi
  node scripts/compress.mjs --check transport/web/dist transport/web/sdk
}

replace() {
  local name
  generated . | while read -r name; do rm -f "$name"; done
  generated "$out" | while read -r name; do
    mkdir -p "$(dirname "$name")"
    cp "$out/$name" "$name"
  done
}

# methods lists the contract's methods for the docs; it reads the Go code of the tree.
methods() {
  mkdir -p "$out/docs"
  go run ./proto/method/list >"$out/docs/methods.md"
}

step "generate: contracts" contracts
# The list of methods and the SDK are compiled from the committed contract: put a
# new one in place first.
if [ "${1:-}" != --check ]; then
  rm -rf sdk/js/src/gen
  cp -r "$out/sdk" .
  find proto -name '*.pb.go' -delete
  cp -r "$out/proto" .
fi
step "generate: list of methods" methods
step "generate: SDK bundles" sdk
step "generate: web page" page
step "generate: compress" compress
if [ "${1:-}" = --check ]; then
  step "generate: compare with the tree" compare
else
  step "generate: put in place" replace
fi

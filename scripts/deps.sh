#!/usr/bin/env bash
# Installs what building and testing need: as root the missing apt packages, as
# anybody the npm and Go modules. What it cannot install it names.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

missing=()
has go || missing+=("Go $(sed -n 's/^go //p' go.mod) or later: https://go.dev/dl")
node_is_new || missing+=("Node.js 20 or later with npm: https://nodejs.org")

system_packages() {
  local packages
  mapfile -t packages < <(packages_missing)
  if [ "${#packages[@]}" -eq 0 ]; then
    echo "   all there"
  elif [ "$(id -u)" -ne 0 ]; then
    echo "missing: ${packages[*]}; as root: apt-get install ${packages[*]}" >&2
    return 1
  elif ! has apt-get; then
    echo "missing: ${packages[*]} (names of Debian packages); there is no apt-get to install them" >&2
    return 1
  else
    echo "   installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y --no-install-recommends "${packages[@]}" >/dev/null 2>&1 ||
      { apt-get update && apt-get install -y --no-install-recommends "${packages[@]}"; } >/dev/null
  fi
}

npm_modules() {
  if npm_is_current; then
    echo "   up to date"
  else
    # Not "npm ci": it refuses a lock file without the optional packages of other
    # platforms. This one installs the locked versions and leaves the file alone.
    npm install --no-save --no-audit --no-fund --loglevel=error
  fi
}

go_modules() {
  go mod download
  go mod download -modfile=tools.mod
}

# What cannot be installed is named at the end, once everything else is there.
packages=ok
(system_packages) || packages=missing
if [ "${#missing[@]}" -gt 0 ]; then
  printf 'missing: %s\n' "${missing[@]}" >&2
  exit 1
fi
step "npm modules" npm_modules
step "Go modules" go_modules
[ "$packages" = ok ] || { echo "apt packages are missing, see above" >&2; exit 1; }

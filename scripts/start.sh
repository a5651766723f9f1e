#!/bin/sh
# npm start: the quickstart on this machine. `npm start -- --help` says what else it can do.
set -eu
cd "$(dirname "$0")/.."
sh scripts/modules.sh
exec node_modules/.bin/node scripts/start.ts "$@"

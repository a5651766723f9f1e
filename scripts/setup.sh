#!/bin/sh
# Everything that Plumb needs on this machine, as far as it is not there yet. Used before npm start, test and bench.
set -eu
cd "$(dirname "$0")/.."
sh scripts/modules.sh
exec node_modules/.bin/node scripts/setup.ts "$@"

#!/bin/sh
# npm run bench: measures against floors, and keeps the results in bench/results. `npm run bench -- burst-100 store` runs
# only these cases.
set -eu
cd "$(dirname "$0")/.."
sh scripts/modules.sh
exec node_modules/.bin/node bench/src/main.ts "$@"

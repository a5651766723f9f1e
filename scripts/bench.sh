#!/bin/sh
# npm run bench: measures against floors, and keeps the results in bench/results. `npm run bench -- burst-100 store` runs
# only these cases, `npm run bench -- peers` our burst beside what others do.
set -eu
cd "$(dirname "$0")/.."
sh scripts/modules.sh
if [ "${1-}" = peers ]; then
  shift
  exec node_modules/.bin/node bench/peers/main.ts "$@"
fi
exec node_modules/.bin/node bench/src/main.ts "$@"

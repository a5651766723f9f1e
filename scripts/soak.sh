#!/bin/sh
# npm run soak -- --minutes N --seed S: the simulation for as long as there is time. `-- --again SEED` shows one run.
set -eu
cd "$(dirname "$0")/.."
sh scripts/modules.sh
exec node_modules/.bin/node sim/src/soak.ts "$@"

#!/bin/sh
# npm run guards: takes each guard of the regression list away and expects its test to fail. `npm run guards -- "stuck
# deleting"` tries only these.
set -eu
cd "$(dirname "$0")/.."
sh scripts/modules.sh
exec node_modules/.bin/node scripts/guards.ts "$@"

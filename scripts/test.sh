#!/bin/sh
# npm test: sets up what it needs and runs everything. `npm test -- unit conformance` runs only these suites.
set -eu
cd "$(dirname "$0")/.."
sh scripts/modules.sh
exec node_modules/.bin/node scripts/test.ts "$@"

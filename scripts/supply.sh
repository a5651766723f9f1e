#!/bin/sh
# npm run supply: the lock file, licences, advisories where the registry can be asked, and the bill of materials.
set -eu
cd "$(dirname "$0")/.."
sh scripts/modules.sh
exec node_modules/.bin/node scripts/supply.ts "$@"

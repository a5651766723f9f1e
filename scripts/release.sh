#!/bin/sh
# npm run release: the provider as Terraform's registry takes it, in dist/release.
set -eu
cd "$(dirname "$0")/.."
sh scripts/modules.sh
exec node_modules/.bin/node scripts/release.ts "$@"

#!/bin/sh
# Builds the Terraform provider and puts it into dist/mirror, from which terraform and tofu install it.
set -eu
cd "$(dirname "$0")/.."
if [ ! -x node_modules/.bin/node ]; then
  echo "node_modules is not there: run npm install first" >&2
  exit 1
fi
exec node_modules/.bin/node scripts/build.ts "$@"

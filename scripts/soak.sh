#!/bin/sh
# npm run soak -- --minutes N --seed S: the simulation for as long as there is time. `-- --again SEED` shows one run.
# npm run soak -- --kills N [--seed S]: real server and agent killed at N random moments of the quickstart on real guests.
# npm run soak -- --terraform-kills N [--seed S]: Terraform, shim, provider or server killed at N random moments of an apply.
# npm run soak -- --store N: N random histories against each store.
# npm run soak -- --traces COMMIT [--seeds N]: whether N random runs do step by step what they did at COMMIT.
# npm run soak -- --mutants N [--area NAME] [--seed S]: whether tests notice N small faults in the sources.
# npm run soak -- --network: 1,000 ports come and go beside 50 guests that ask; every rule of the packet filter taken away once.
# npm run soak -- --policies N: N random policies of security groups with 150 packets each, over the kernel's bridges, beside the model.
# npm run soak -- --rbac N [--seed S]: N random pairs of policy and request, decided by Plumb and by Kubernetes' own authorizer.
# npm run soak -- --apply N [--seed S]: N random histories of server-side apply, beside Kubernetes' own field manager.
# npm run soak -- --fuzz [--minutes N] [--seed S] [TARGET…]: random inputs for every reader of what comes from outside.
set -eu
cd "$(dirname "$0")/.."
case "${1:-}" in
  --kills)
    sh scripts/setup.sh
    PLUMB_KILLS="${2:?say how many: --kills 30}"
    export PLUMB_KILLS
    if [ "${3:-}" = --seed ]; then export PLUMB_KILLS_SEED="${4:?say which seed}"; fi
    exec node_modules/.bin/node node_modules/vitest/vitest.mjs run --project e2e e2e/random-kills.e2e.ts
    ;;
  --terraform-kills)
    sh scripts/setup.sh
    PLUMB_TERRAFORM_KILLS="${2:?say how many: --terraform-kills 1000}"
    PLUMB_TERRAFORM_KILLS_INSTANCES=50
    export PLUMB_TERRAFORM_KILLS PLUMB_TERRAFORM_KILLS_INSTANCES
    if [ "${3:-}" = --seed ]; then export PLUMB_KILLS_SEED="${4:?say which seed}"; fi
    exec node_modules/.bin/node node_modules/vitest/vitest.mjs run --project e2e e2e/terraform-kills.e2e.ts
    ;;
  --store)
    sh scripts/modules.sh
    PLUMB_STORE_RUNS="${2:?say how many: --store 500}"
    export PLUMB_STORE_RUNS
    exec node_modules/.bin/node node_modules/vitest/vitest.mjs run --project conformance reconciler/src/store \
      --testTimeout 3600000 -t 'agree with the model'
    ;;
  --traces)
    sh scripts/modules.sh
    exec node_modules/.bin/node scripts/traces.ts "$@"
    ;;
  --mutants)
    sh scripts/modules.sh
    exec node_modules/.bin/node scripts/mutants/main.ts "$@"
    ;;
  --policies)
    sh scripts/setup.sh
    PLUMB_POLICIES="${2:?say how many: --policies 70}"
    export PLUMB_POLICIES
    exec unshare --net --mount --propagation slave sh -c 'ip link set lo up && exec "$@"' sh \
      node_modules/.bin/node node_modules/vitest/vitest.mjs run --project conformance agent/src/security-groups
    ;;
  --network)
    sh scripts/setup.sh
    PLUMB_SOAK_NETWORK=1
    export PLUMB_SOAK_NETWORK
    exec unshare --net --mount --propagation slave sh -c 'ip link set lo up && exec "$@"' sh \
      node_modules/.bin/node node_modules/vitest/vitest.mjs run --project conformance agent/src/network/isolation \
      --testTimeout 3600000
    ;;
  --rbac)
    sh scripts/modules.sh
    exec node_modules/.bin/node sim/src/rbac/main.ts "$@"
    ;;
  --apply)
    sh scripts/modules.sh
    exec node_modules/.bin/node sim/src/apply/main.ts "$@"
    ;;
  --fuzz)
    sh scripts/modules.sh
    exec node_modules/.bin/node sim/src/fuzz/main.ts "$@"
    ;;
esac
sh scripts/modules.sh
exec node_modules/.bin/node sim/src/soak.ts "$@"

/** What is mutated, and which tests have to notice. */
export interface Area {
  name: string;
  /** Folders of sources, from the root. */
  sources: readonly string[];
  /** Groups of tests, the quickest first: the next is asked only when all before passed. */
  tests: readonly (readonly string[])[];
}

const INSTANCE = 'reconciler/src/controllers/instance';
const SIMULATION = [
  ['sim/src/regressions', 'sim/src/poison', 'sim/src/folders'],
  ['sim/src/matrix', 'sim/src/workload'],
] as const;

export const areas: readonly Area[] = [
  { name: 'plan', sources: ['reconciler/src/plan'], tests: [['reconciler/src/plan', INSTANCE], ...SIMULATION] },
  { name: 'flow', sources: ['reconciler/src/flow'], tests: [['reconciler/src/flow', INSTANCE], ...SIMULATION] },
  {
    name: 'controllers',
    sources: ['reconciler/src/controllers'],
    tests: [
      ['reconciler/src/controllers'],
      ['reconciler/src/extensions', 'reconciler/src/every-record'],
      ...SIMULATION,
    ],
  },
  {
    name: 'authorization',
    sources: ['reconciler/src/authorization', 'reconciler/src/api/rights'],
    tests: [
      ['reconciler/src/authorization', 'sim/src/rbac'],
      ['reconciler/src/api/rights', 'reconciler/src/api/access', 'reconciler/src/api/core/token-request'],
      ['reconciler/src/extensions', 'reconciler/src/pki'],
    ],
  },
  {
    name: 'session',
    sources: ['agent/src/session'],
    tests: [['agent/src/session'], ['reconciler/src/fleet'], ...SIMULATION],
  },
];

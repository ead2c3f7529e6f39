/** Which folder may import which: the arrows of the map in CONTRIBUTING.md. Types count as everything else. */
const may = {
  contract: [],
  http: ['contract'],
  server: ['contract', 'texts'],
  storage: ['contract'],
  people: ['contract', 'storage'],
  simulated: ['contract'],
  authenticator: ['contract'],
  // What runs in the browser.
  'approver/page': [],
  texts: [],
  services: ['contract', 'http', 'storage', 'people', 'authenticator', 'texts', 'simulated'],
  approver: ['contract', 'people', 'server', 'texts', 'authenticator'],
  account: ['contract', 'storage', 'people', 'services', 'approver'],
  node: [
    'contract',
    'storage',
    'people',
    'services',
    'account',
    'approver',
    'authenticator',
    'server',
    'texts',
  ],
  approval: ['contract', 'storage', 'account', 'node'],
};

const lib = '^nodes/lib/';
/** Clocks and timers: given to whoever needs them. */
const time = `${lib}time\\.ts$`;

module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(may).map(([folder, others]) => ({
      name: `${folder}-imports-only-what-it-may`,
      severity: 'error',
      from: { path: `${lib}${folder}/` },
      to: {
        path: '^nodes/',
        pathNot: [
          ...(folder === 'contract' ? [] : [time]),
          ...[folder, ...others].map((name) => `${lib}${name}/`),
          ...(folder === 'simulated' ? ['^nodes/simulator/simulator\\.ts$'] : []),
        ],
      },
    })),
    {
      name: 'every-folder-has-its-rule',
      severity: 'error',
      from: { path: `${lib}[^/]+/`, pathNot: Object.keys(may).map((folder) => `${lib}${folder}/`) },
      to: {},
    },
    {
      name: 'only-the-registry-names-services',
      severity: 'error',
      from: { path: '^nodes/', pathNot: [`${lib}services/`, '^nodes/simulator/'] },
      to: { path: `${lib}services/`, pathNot: `${lib}services/registry\\.ts$` },
    },
    {
      name: 'services-do-not-know-each-other',
      severity: 'error',
      from: { path: `${lib}services/([^/]+)/` },
      to: { path: `${lib}services/`, pathNot: `${lib}services/$1/` },
    },
    {
      name: 'the-registry-imports-kinds-alone',
      severity: 'error',
      from: { path: `${lib}services/registry\\.ts$` },
      to: { path: '^nodes/', pathNot: [`${lib}services/[^/]+/kind\\.ts$`, `${lib}contract/`] },
    },
    {
      name: 'the-simulator-shares-signatures-texts-and-the-server',
      severity: 'error',
      from: { path: '^nodes/simulator/' },
      to: {
        path: lib,
        pathNot: [
          `${lib}services/authy/callback/(signature|query)\\.ts$`,
          `${lib}server/(network-addresses|own-pages|page|reachable|request-body|router|send)\\.ts$`,
          `${lib}contract/(private-host|request-handler|simulator-key|url)\\.ts$`,
          `${lib}authenticator/qr-picture\\.ts$`,
          `${lib}texts/`,
        ],
      },
    },
    {
      name: 'the-simulated-people-know-no-wire-format',
      severity: 'error',
      from: { path: '^nodes/simulator/state/' },
      to: { path: '^nodes/simulator/(authy|verify)/' },
    },
    {
      name: 'wire-formats-do-not-know-each-other',
      severity: 'error',
      from: { path: '^nodes/simulator/(authy|verify)/' },
      to: { path: '^nodes/simulator/(authy|verify)/', pathNot: '^nodes/simulator/$1/' },
    },
    {
      name: 'a-node-is-thin',
      severity: 'error',
      from: { path: '^nodes/[^/]+\\.ts$' },
      to: { path: '^nodes/', pathNot: [`${lib}node/`, `${lib}approval/`, `${lib}account/`] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import should from 'should';
import { installedInCache, root, temporaryDirectory, types } from '../support/node_red';

type Scorecard = Record<string, { test?: boolean; nodes?: string[] } | undefined>;

/**
 * The checks of the Flow Library, by its own tool. The tool has hundreds of dependencies, so it is installed elsewhere.
 * Source: https://flows.nodered.org/, the scorecard on the page of each package.
 */
describe('the scorecard of the Flow Library', function () {
  this.timeout(600_000);
  let card: Scorecard;

  before(async function () {
    const modules = await installedInCache(this, 'node-red-dev', ['node-red-dev@0.1.6']);
    const file = path.join(temporaryDirectory(), 'card.json');
    const run = path.join(modules, 'node-red-dev', 'bin', 'run');
    const catalogue = path.join(root, 'test', 'support', 'offline-catalogue.cjs');
    await promisify(execFile)(process.execPath, ['-r', catalogue, run, 'validate', '-p', root, '-o', file]);
    card = JSON.parse(fs.readFileSync(file, 'utf8')) as Scorecard;
  });

  for (const [check, what] of [
    ['P01', 'has a licence'],
    ['P03', 'says where its source is'],
    ['P04', 'has a name in a scope'],
    ['P05', 'has the keyword'],
    ['P06', 'works with the latest Node-RED'],
    ['P07', 'works with the Node.js of the latest Node-RED'],
    ['N02', 'has an example for each node'],
    ['D01', 'has few dependencies'],
    ['D02', 'has no dependency on the list of bad ones'],
  ] as const) {
    // The tool exits with 0 whatever it finds: only the scorecard shows the result.
    it(`${check}: it ${what}`, () => {
      should(card[check]?.test).equal(true);
    });
  }

  it('finds every node in the examples', () => {
    should(card['N02']?.nodes?.sort()).eql(types.filter((type) => type !== 'authy-config').sort());
  });
});

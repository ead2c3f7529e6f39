import fs from 'node:fs';
import path from 'node:path';
import should from 'should';
import { filePeople, peopleRoot } from '../../../nodes/lib/people/file-people';
import type { People } from '../../../nodes/lib/contract/people';
import { redisPeople } from '../../../nodes/lib/people/redis-people';
import { ProcessRun } from '../../../nodes/lib/storage/owned-directory';
import { RedisConnection } from '../../../nodes/lib/storage/redis/connection';
import { realTime } from '../../../nodes/lib/time';
import { Process, root, temporaryDirectory } from '../../support/node_red';
import { listOf, newFactor, newPerson } from '../../support/people';
import { Redis } from '../../support/redis';

const cli = path.join(root, 'nodes', 'lib', 'people', 'cli.ts');
const account = 'a1b2c3';

describe('The command authy-people', function () {
  this.timeout(60_000);
  let userDir: string;

  beforeEach(() => {
    userDir = temporaryDirectory();
    const settings = 'module.exports = { credentialSecret: "of these settings" };';
    fs.writeFileSync(path.join(userDir, 'settings.js'), settings);
  });

  async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
    const command = new Process(process.execPath, ['--import', 'tsx', cli, ...args]);
    const code = await command.exit();
    return { code, output: command.output };
  }

  const of = (...args: string[]): string[] => [...args, '--user-dir', userDir, '--account', account];
  const file = (name: string): string => path.join(userDir, name);

  /** Does something with the people, as a Node-RED that is stopped again. */
  async function withPeople<T>(work: (people: People) => Promise<T>): Promise<T> {
    const ownRun = new ProcessRun();
    const people = filePeople(
      { root: peopleRoot(userDir), accountId: account },
      { credentialSecret: 'of these settings', tell: (sentence) => should(sentence).equal(''), run: ownRun },
    );
    try {
      return await work(people);
    } finally {
      await people.close();
      ownRun.end();
    }
  }

  it('exports and imports, with the key of the settings', async () => {
    const ada = await withPeople((people) =>
      people.add(newPerson({ factors: [newFactor({ lastStep: 3 })] })),
    );
    should(await run(...of('export', '--secrets', '--output', file('list.json')))).eql({
      code: 0,
      output: '',
    });
    should(fs.statSync(file('list.json')).mode & 0o777).equal(0o600);
    await withPeople((people) => people.remove(ada.authyId));
    should(await run(...of('import', file('list.json')))).eql({
      code: 0,
      output: '1 added, 0 changed, 0 as they were.\n',
    });
    should(await withPeople((people) => listOf(people.all()))).eql([ada]);
    const { output } = await run(...of('export', '--format', 'csv'));
    should(output).equal(
      `authyId,phoneNumber,countryCode,email\r\n${ada.authyId},'+491701234567,49,ada@example.com\r\n`,
    );
  });

  it('does nothing while Node-RED runs, to a file that is there, or with a wrong list', async () => {
    fs.writeFileSync(file('list.csv'), 'phoneNumber\n+12010000000\n');
    should(await run(...of('import', file('list.csv')))).match({
      code: 1,
      output: /line 2: phoneNumber is not a valid/,
    });
    should(await run(...of('import', '--any-number', file('list.csv')))).have.property('code', 0);
    should(await run(...of('export', '--output', file('list.csv')))).match({ code: 1, output: /EEXIST/ });
    await withPeople(async (people) => {
      await people.find('1');
      should(await run(...of('export'))).match({ code: 1, output: /in use by another Node-RED/ });
    });
  });

  it('says what is wrong with its command line', async () => {
    for (const [args, problem] of [
      [[], /say "export"/],
      [['import'], /say "export"/],
      [['export', 'x', 'y'], /one argument too many/],
      [['export', '--user-dir', userDir], /--account is missing/],
      [of('export'), /no people of this account/],
      [of('export', '--format', 'xml'), /--format has to be/],
      [['--nothing'], /Unknown option/],
    ] as const) {
      should(await run(...args)).match({ code: 2, output: problem });
    }
    should(await run('--help')).match({ code: 0, output: /^Usage: authy-people/ });
  });

  it('reaches those in Redis', async function () {
    const redis = await Redis.start(this);
    try {
      fs.writeFileSync(file('list.csv'), `phone,secret\n+491701234567,${newFactor().secret ?? ''}\n`);
      should(await run(...of('import', '--redis', redis.url, file('list.csv')))).have.property('code', 0);
      const settings = { url: redis.url, password: '', log: () => undefined };
      const people = redisPeople(account, new RedisConnection(account, settings, realTime), {
        credentialSecret: 'of these settings',
        tell: () => undefined,
      });
      should((await people.findByPhone('+491701234567'))?.factors).match([{ secret: newFactor().secret }]);
      await people.close();
      should(fs.existsSync(peopleRoot(userDir))).be.false();
    } finally {
      await redis.stop();
    }
  });
});

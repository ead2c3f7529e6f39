#!/usr/bin/env node
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { member } from '../contract/json';
import { folderName } from '../storage/disk';
import { RedisConnection } from '../storage/redis/connection';
import { realTime } from '../time';
import { filePeople, peopleRoot } from './file-people';
import type { People } from '../contract/people';
import { redisPeople } from './redis-people';
import { exportPeople, importPeople, type ListFormat } from './transfer';

const help = `Usage: authy-people export --account ID [--output FILE] [--secrets] [options]
       authy-people import --account ID [--any-number] [options] FILE

The people of an account, as a list. Stop Node-RED before, if they are in files.

  --account ID     the id of the account's node, as the editor shows it
  --format FORMAT  json, which has everything, or csv (default: by the name of the file, else json)
  --user-dir DIR   the user directory of Node-RED (default ~/.node-red)
  --settings FILE  its settings file (default: settings.js in the user directory)
  --redis URL      where they are in Redis; the password may be in REDIS_PASSWORD

  --output FILE    write into this new file, which only you can read (default: print)
  --secrets        with the secrets of authenticators, in clear: whoever has the
                   list can make the codes

  --any-number     take phone numbers that nobody can have, such as made-up ones

  --help           print this`;

/** A bad command line; its message says what is wrong. */
class UsageError extends Error {}

/** A list has less than all of them: the problems are printed already. */
class Incomplete extends Error {}

void main(process.argv.slice(2));

async function main(args: string[]): Promise<void> {
  // The timers of a store do not keep a process alive.
  const alive = setInterval(() => undefined, 60_000);
  try {
    const { values, positionals } = parsed(args);
    const [command, file, ...others] = positionals;
    if (values.help === true) console.log(help);
    else if (others.length > 0)
      throw new UsageError(`there is one argument too many: "${others.join(' ')}".`);
    else if (command === 'export' && file === undefined) await exportTo(values);
    else if (command === 'import' && file !== undefined) await importFrom(values, file);
    else throw new UsageError('say "export", or "import" and the name of a file. See authy-people --help.');
  } catch (error) {
    console.error(`authy-people: ${(error as Error).message}`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  } finally {
    clearInterval(alive);
  }
}

type Values = ReturnType<typeof parsed>['values'];

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        account: { type: 'string' },
        format: { type: 'string' },
        'user-dir': { type: 'string' },
        settings: { type: 'string' },
        redis: { type: 'string' },
        output: { type: 'string' },
        secrets: { type: 'boolean' },
        'any-number': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function exportTo(values: Values): Promise<void> {
  const { output, secrets = false } = values;
  const format = formatOf(values, output);
  const { people, problems } = await open(values, true);
  try {
    // Whether they can be read at all is known before anything is written.
    await people.find('1');
    const list = exportPeople(people, { format, secrets });
    if (output === undefined) for await (const part of list) process.stdout.write(part);
    else await writeNew(output, list);
  } finally {
    await people.close();
  }
  if (problems.length > 0) throw new Incomplete('Repair what is named above: the list has all the others.');
}

/** Writes a new file. An existing one is not replaced: others might be able to read it. */
async function writeNew(file: string, text: AsyncIterable<string>): Promise<void> {
  const handle = await fs.promises.open(file, 'wx', 0o600);
  try {
    await fs.promises.writeFile(handle, text);
  } catch (error) {
    // A part of a list looks like all of it.
    await fs.promises.rm(file);
    throw error;
  } finally {
    await handle.close();
  }
}

async function importFrom(values: Values, file: string): Promise<void> {
  const format = formatOf(values, file);
  const list = await fs.promises.readFile(file);
  const { people } = await open(values, false);
  try {
    const rule = values['any-number'] === true ? 'possible' : 'valid';
    const { added, changed, unchanged } = await importPeople(people, list, { format, rule });
    console.log(`${added} added, ${changed} changed, ${unchanged} as they were.`);
  } finally {
    await people.close();
  }
}

function formatOf({ format }: Values, file = ''): ListFormat {
  const name = format ?? (/\.csv$/i.test(file) ? 'csv' : 'json');
  if (name !== 'csv' && name !== 'json') throw new UsageError('--format has to be csv or json.');
  return name;
}

/** @param isThere - whether the account has to have people already: a wrong id would look like one that knows nobody */
async function open(values: Values, isThere: boolean): Promise<{ people: People; problems: string[] }> {
  const { account, redis } = values;
  const userDir = values['user-dir'] ?? path.join(os.homedir(), '.node-red');
  if (account === undefined || account === '') throw new UsageError('--account is missing.');
  if (!fs.existsSync(userDir)) throw new UsageError(`--user-dir: there is no folder ${userDir}.`);
  const credentialSecret = await secretIn(values.settings ?? path.join(userDir, 'settings.js'));
  const problems: string[] = [];
  const tell = (sentence: string): void => {
    problems.push(sentence);
    console.error(sentence);
  };
  if (redis !== undefined) {
    const password = process.env['REDIS_PASSWORD'] ?? '';
    const settings = { url: redis, password, log: (line: string) => console.error(line) };
    const connection = new RedisConnection(account, settings, realTime);
    return { people: redisPeople(account, connection, { credentialSecret, tell }), problems };
  }
  const root = peopleRoot(userDir);
  if (isThere && !accountsIn(root).includes(folderName(account))) {
    const known = accountsIn(root).join(', ');
    throw new UsageError(
      `--account: there are no people of this account in ${root}; there are those of: ${known || 'none'}.`,
    );
  }
  return { people: filePeople({ root, accountId: account }, { credentialSecret, tell }), problems };
}

/** The names of the folders of accounts. */
function accountsIn(root: string): string[] {
  if (!fs.existsSync(root)) return [];
  const lives = fs.readdirSync(root).filter((name) => name.startsWith('life-'));
  const folders = lives.flatMap((life) => fs.readdirSync(path.join(root, life), { withFileTypes: true }));
  return folders.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** `credentialSecret` of a settings file; undefined if there is none. */
async function secretIn(file: string): Promise<string | undefined> {
  if (!fs.existsSync(file)) return undefined;
  let settings: unknown;
  try {
    settings = ((await import(pathToFileURL(path.resolve(file)).href)) as { default?: unknown }).default;
  } catch (error) {
    throw new Error(`Check ${file}: it cannot be loaded (${(error as Error).message}).`, { cause: error });
  }
  const secret = member(settings, 'credentialSecret');
  return typeof secret === 'string' ? secret : undefined;
}

import { createRequire } from 'node:module';
import path from 'node:path';
import { callbackKey } from '../support/signed_callback';
import { installedOfficialClients } from '../support/simulator_clients';
import { bodySize } from './callback_body';
import {
  acceptedName,
  bareContenders,
  forgedName,
  hmacName,
  limitName,
  ourContenders,
  theirCheckName,
  theirContenders,
  type TheirParts,
  theirVerifyName,
  unsignedName,
} from './callback_contenders';
import { contest } from './contest';
import type { Bench, Goal, Measure, Report } from './figures';
import { unlessSkipped } from './unless_skipped';

type Client = new (options: { key: string }) => {
  verifyCallback(request: object): PromiseLike<unknown>;
};
type SignatureAssert = new (options: { key: string; request: object }) => {
  /** Throws if the signature is wrong. */
  validate(signature: string): true;
};

/** authy-client's own code, from `.cache/`. */
async function theirParts(context: Mocha.Context): Promise<TheirParts> {
  const load = createRequire(path.join(await installedOfficialClients(context), 'package.json'));
  const { Client } = load('authy-client') as { Client: Client };
  const Assert = load('authy-client/dist/src/asserts/signature-assert') as SignatureAssert;
  const client = new Client({ key: callbackKey });
  return {
    verifyCallback: (request) => client.verifyCallback(request),
    checkSignature: (request, signature) => new Assert({ key: callbackKey, request }).validate(signature),
  };
}

async function run(): Promise<Report> {
  const theirs = await unlessSkipped(theirParts);
  const contenders = [...ourContenders(), ...bareContenders(), ...(theirs ? theirContenders(theirs) : [])];
  const results = await contest(contenders, { rounds: 15, warmUps: 2 });
  const ratio = (name: string, other: string, goal?: Goal): Measure => ({
    what: `${name} / ${other}`,
    unit: 'x',
    rounds: results.ratio(name, other),
    ...(goal && { goal }),
  });
  const notes = [
    'Seconds are those of processor time, so that what else the machine does is not counted.',
    `The body has ${bodySize.toLocaleString('en')} bytes, raw, with the fields of the published samples; ours also parses it and reads who decided what.`,
    'authy-client gets the body parsed, and the parsing is not counted. Its verifyCallback also checks the fields.',
  ];
  return {
    ratios: [
      ratio(acceptedName, hmacName, { atLeast: 0.25 }),
      ...(theirs
        ? [ratio(acceptedName, theirCheckName, { atLeast: 6 }), ratio(acceptedName, theirVerifyName)]
        : []),
      ratio(limitName, hmacName),
      ratio(acceptedName, limitName),
      ratio(unsignedName, acceptedName, { atLeast: 20 }),
      ratio(forgedName, acceptedName),
    ],
    figures: results.figures('checks/s'),
    notes: theirs ? notes : [...notes, 'authy-client is missing: it could not be downloaded.'],
  };
}

export const bench: Bench = { title: 'a callback is validated', run };

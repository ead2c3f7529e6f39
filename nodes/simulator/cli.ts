#!/usr/bin/env node
import net from 'node:net';
import { parseArgs } from 'node:util';
import { isLoopback } from '../lib/contract/private-host';
import { isSimulatorKey, simulatorKeyStart } from '../lib/contract/simulator-key';
import { networkAddresses } from '../lib/server/network-addresses';
import { reachable } from '../lib/server/reachable';
import { callbackUrlProblem } from './settings';
import { Simulator, type SimulatorOptions } from './simulator';
import { type VerifyCredentials, verifyOptionProblem, type VerifyOptions } from './verify/settings';

const defaultPort = 4730;

/** A host name. */
const nameForm = /^[\w-]+(?:\.[\w-]+)*$/;

const help = `Usage: authy-simulator [--port N] [--api-key KEY] [--callback-url URL]
                       [--host ADDRESS] [--allow-host NAME]… [--json]
       authy-simulator --verify [--account-sid AC…] [--auth-token TOKEN] [--service-sid VA…]
                       [--api-key-sid SK…] [--api-key-secret SECRET] [--custom-codes]
                       [--port N] [--host ADDRESS] [--allow-host NAME]… [--json]

A local simulator of Twilio Authy and Twilio Verify: their endpoints, and a page
that shows the phones of the people. Nothing here reaches a real phone. It
answers this machine only, unless --host says otherwise, and forgets everything
when it ends.

  --port N            listen on this port; 0 for any (default ${defaultPort})
  --host ADDRESS      listen on this address in place of 127.0.0.1, such as 0.0.0.0 for
                      all: then everybody in that network sees all codes, and answers
                      all requests
  --allow-host NAME   answer under this name as well, such as simulator.example.com; an
                      IP address or a name without a dot needs no such permission
  --api-key KEY       the key that clients of Authy have to send
  --callback-url URL  where answered approval requests of Authy are reported
  --verify            say what clients of Twilio Verify need as well
  --account-sid, --auth-token, --service-sid, --api-key-sid, --api-key-secret
                      what those clients have to send
  --custom-codes      let those clients give codes of their own
  --json              print one line {"url","apiKey","phone"} when ready, and no more;
                      with --verify there is a member "verify" {"url","lookupsUrl",
                      "accountSid","authToken","apiKeySid","apiKeySecret","serviceSid"}
  --help              print this

Keys, tokens and SIDs that are not given are new ones each time.`;

/** What sets each of Verify's credentials. */
const verifyOptions = {
  accountSid: 'account-sid',
  authToken: 'auth-token',
  apiKeySid: 'api-key-sid',
  apiKeySecret: 'api-key-secret',
  serviceSid: 'service-sid',
} as const satisfies Record<keyof VerifyCredentials, string>;

/** A bad command line; its message says what is wrong. */
class UsageError extends Error {}

void main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  try {
    const options = readOptions(args);
    if (options === 'help') console.log(help);
    else await run(options);
  } catch (error) {
    const isUsage = error instanceof UsageError;
    console.error(`authy-simulator: ${(error as Error).message}`);
    process.exitCode = isUsage ? 2 : 1;
  }
}

interface Options {
  port: number;
  host: string;
  json: boolean;
  /** Whether it says what clients of Verify need. */
  verify: boolean;
  simulator: SimulatorOptions;
}

function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  const { port = String(defaultPort), 'api-key': apiKey, 'callback-url': callbackUrl } = values;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new UsageError(`--port has to be a number from 0 to 65535, and not "${port}".`);
  }
  const { host = '127.0.0.1', 'allow-host': names = [] } = values;
  if (net.isIP(host) === 0 && !nameForm.test(host)) {
    throw new UsageError(`--host has to be an IP address or a name of this machine, and not "${host}".`);
  }
  const wrong = names.find((name) => !nameForm.test(name));
  if (wrong !== undefined) {
    throw new UsageError(
      `--allow-host has to be a name such as simulator.example.com, without scheme and port, and not "${wrong}".`,
    );
  }
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new UsageError('--api-key has to be a text without spaces.');
  }
  const problem = callbackUrl === undefined ? undefined : callbackUrlProblem(callbackUrl);
  if (problem !== undefined) throw new UsageError(`--callback-url: ${problem}.`);
  return {
    port: Number(port),
    host,
    json: values.json === true,
    verify: values.verify === true,
    simulator: {
      host,
      allowedHosts: names.map((name) => name.toLowerCase()),
      verify: readVerifyOptions(values),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(callbackUrl === undefined ? {} : { callbackUrl }),
    },
  };
}

function readVerifyOptions(values: ReturnType<typeof parse>['values']): VerifyOptions {
  const given = Object.entries(verifyOptions).filter(([, option]) => values[option] !== undefined);
  const first = given[0]?.[1] ?? (values['custom-codes'] === true ? 'custom-codes' : undefined);
  if (first !== undefined && values.verify !== true) {
    throw new UsageError(`Add --verify: --${first} is for Twilio Verify.`);
  }
  const credentials: Partial<VerifyCredentials> = Object.fromEntries(
    given.map(([name, option]) => [name, values[option]]),
  );
  const problem = verifyOptionProblem(credentials, (name) => `--${verifyOptions[name]}`);
  if (problem !== undefined) throw new UsageError(problem);
  return { ...credentials, customCodes: values['custom-codes'] === true };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        host: { type: 'string' },
        'allow-host': { type: 'string', multiple: true },
        'api-key': { type: 'string' },
        'callback-url': { type: 'string' },
        verify: { type: 'boolean' },
        'account-sid': { type: 'string' },
        'auth-token': { type: 'string' },
        'api-key-sid': { type: 'string' },
        'api-key-secret': { type: 'string' },
        'service-sid': { type: 'string' },
        'custom-codes': { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('\n')[0] ?? ''} See authy-simulator --help.`);
  }
}

async function run({ port, host, json, verify, simulator: options }: Options): Promise<void> {
  // The log goes to stderr, so that stdout holds only the addresses.
  const simulator = new Simulator({
    ...options,
    ...(json ? {} : { log: (line: string) => console.error(line) }),
  });
  const url = await simulator.listen(port).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(
      code === 'EADDRINUSE'
        ? `Port ${port} on ${host} is taken. Stop what uses it, or choose another one with --port.`
        : `Cannot listen on port ${port} of ${host}: ${message}`,
    );
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void simulator.close());
  const phone = `${url}/simulator/phone/`;
  const { accountSid, authToken, apiKeySid, apiKeySecret, serviceSid } = simulator.verify;
  const keys = [simulator.apiKey, ...(verify ? [apiKeySecret] : [])];
  if (!isLoopback(host)) console.error(warning(host, new URL(url).port || '80', keys));
  const ready = {
    url,
    apiKey: simulator.apiKey,
    phone,
    ...(verify
      ? {
          verify: {
            url,
            lookupsUrl: url,
            accountSid,
            authToken,
            apiKeySid,
            apiKeySecret,
            serviceSid,
          },
        }
      : {}),
  };
  console.log(json ? JSON.stringify(ready) : announcement(ready));
}

/** That it protects nobody, and where others reach it. */
function warning(host: string, port: string, keys: readonly string[]): string {
  const isAnywhere = ['0.0.0.0', '::'].includes(host);
  const addresses = isAnywhere ? networkAddresses() : [reachable(host)];
  const urls = addresses.map((address) => `http://${address}:${port}`);
  const isOwnKey = !keys.every(isSimulatorKey);
  return [
    'authy-simulator: WARNING: this protects nobody. Whoever reaches it sees all codes and phone numbers, answers all ' +
      'requests, and can make it call any address, without a password.',
    ...(urls.length === 0 ? [] : [`authy-simulator: in the network at ${urls.join(', ')}`]),
    ...(isOwnKey
      ? [
          `authy-simulator: begin the key with ${simulatorKeyStart}: accounts in Node-RED send no other one here by http`,
        ]
      : []),
  ].join('\n');
}

/** What clients need to know when it is ready. */
interface Ready {
  readonly url: string;
  readonly apiKey: string;
  readonly phone: string;
  readonly verify?: VerifyCredentials;
}

function announcement({ url, apiKey, phone, verify }: Ready): string {
  return [
    '',
    '  Authy simulator: nothing here reaches a real phone',
    '',
    `  Base URL  ${url}`,
    `  API key   ${apiKey}`,
    `  Phone     ${phone}`,
    '',
    ...(verify === undefined
      ? []
      : [
          '  Twilio Verify and Lookup, at the same base URL',
          '',
          `  Account SID     ${verify.accountSid}`,
          `  Auth token      ${verify.authToken}`,
          `  API key SID     ${verify.apiKeySid}`,
          `  API key secret  ${verify.apiKeySecret}`,
          `  Service SID     ${verify.serviceSid}`,
          '',
        ]),
    '  Ctrl+C stops it.',
    '',
  ].join('\n');
}

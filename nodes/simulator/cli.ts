#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { callbackUrlProblem } from './settings';
import { Simulator, type SimulatorOptions } from './simulator';

const defaultPort = 4730;

const help = `Usage: authy-simulator [--port N] [--api-key KEY] [--callback-url URL] [--json]

A local simulator of Twilio Authy: its endpoints, and a page that shows the
phones of its users. Nothing here reaches a real phone. It answers this machine
only and forgets everything when it ends.

  --port N            listen on this port of 127.0.0.1; 0 for any (default ${defaultPort})
  --api-key KEY       the key that clients have to send (default: a new one each time)
  --callback-url URL  where answered approval requests are reported
  --json              print one line {"url","apiKey","phone"} when ready, and no more
  --help              print this`;

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
  json: boolean;
  simulator: SimulatorOptions;
}

function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  const { port = String(defaultPort), 'api-key': apiKey, 'callback-url': callbackUrl } = values;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new UsageError(`--port has to be a number from 0 to 65535, and not "${port}".`);
  }
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new UsageError('--api-key has to be a text without spaces.');
  }
  const problem = callbackUrl === undefined ? undefined : callbackUrlProblem(callbackUrl);
  if (problem !== undefined) throw new UsageError(`--callback-url: ${problem}.`);
  return {
    port: Number(port),
    json: values.json === true,
    simulator: {
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(callbackUrl === undefined ? {} : { callbackUrl }),
    },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        'api-key': { type: 'string' },
        'callback-url': { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('\n')[0] ?? ''} See authy-simulator --help.`);
  }
}

async function run({ port, json, simulator: options }: Options): Promise<void> {
  // The log goes to stderr, so that stdout holds only the addresses.
  const simulator = new Simulator({
    ...options,
    ...(json ? {} : { log: (line: string) => console.error(line) }),
  });
  const url = await simulator.listen(port).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(
      code === 'EADDRINUSE'
        ? `Port ${port} on 127.0.0.1 is taken. Stop what uses it, or choose another one with --port.`
        : `Cannot listen on port ${port} of 127.0.0.1: ${message}`,
    );
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void simulator.close());
  const phone = `${url}/simulator/phone/`;
  if (json) console.log(JSON.stringify({ url, apiKey: simulator.apiKey, phone }));
  else console.log(announcement(url, simulator.apiKey, phone));
}

function announcement(url: string, apiKey: string, phone: string): string {
  return [
    '',
    '  Authy simulator: nothing here reaches a real phone',
    '',
    `  Base URL  ${url}`,
    `  API key   ${apiKey}`,
    `  Phone     ${phone}`,
    '',
    '  Ctrl+C stops it.',
    '',
  ].join('\n');
}

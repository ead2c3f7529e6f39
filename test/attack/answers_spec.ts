import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGzip } from 'node:zlib';
import fc from 'fast-check';
import { AuthyClient } from '../../nodes/lib/services/authy/client';
import { AuthyError } from '../../nodes/lib/contract/errors';
import { ValidatingService } from '../support/validating_service';
import { exchanges, type OnAuthy, onAuthy, uuid } from '../support/exchanges';
import { samples } from '../support/runs';
import { ScriptedServer, type Step } from '../support/scripted_server';

/** The outcomes that open a door. */
const decisive = ['valid', 'approved'];

/** Wrong values: each of them is put into every field. */
const wrong: readonly unknown[] = [
  null, true, false, 0, 1, -1, 1.5, '', ' ', 'x', 'true', 'yes', 'is valid', 'approved', [], {}, [true], ['approved'], [[]],
  { toString: 'approved' }, { valueOf: true }, { length: 1 }, 'Approved', 'is valid ', '2', 9e15, 'x'.repeat(10_000),
]; // prettier-ignore

/** Values of `success` that could be taken for true. */
const spellings: readonly unknown[] = [
  'True', 'TRUE', 'true ', ' true', 'tru', 'truetrue', '"true"', 'yes', 'ok', 'success', 't', 'y', '1', 1, 2, -1, [], [true], ['true'],
  {}, { true: true }, { success: true }, 'false', false, 'False', 0, '0', '', null, 'null', 'undefined', 'ｔｒｕｅ', 'true\u0000',
]; // prettier-ignore

interface Answer {
  status: number;
  text: string;
}

/** Whether this is the documented success of an operation, by a strict and independent reading of the specification. */
function isDocumentedSuccess(name: OnAuthy, { status, text }: Answer): boolean {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return false;
  }
  const own = (object: unknown, member: string): unknown =>
    Object.prototype.toString.call(object) === '[object Object]'
      ? Object.getOwnPropertyDescriptor(object, member)?.value
      : undefined;
  const success = own(body, 'success');
  const isSilent = name === 'userExport' && success === undefined && own(body, 'e164') !== undefined;
  if (status !== 200 || !(isSilent || [true, 'true'].includes(success as boolean))) return false;
  if (name === 'tokenVerify') return own(body, 'token') === 'is valid';
  if (name !== 'onetouchStatus') return true;
  const request = own(body, 'approval_request');
  return own(request, 'status') === 'approved' && own(request, 'uuid') === uuid;
}

/** The path of every field in an answer. */
function pathsOf(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    [...path, name],
    ...pathsOf(inner, [...path, name]),
  ]);
}

/** The answer with another value in one field; undefined removes the field. */
function withValue(answer: object, [name = '', ...rest]: readonly string[], value: unknown): object {
  if (rest.length === 0) return { ...answer, [name]: value };
  const inner = (answer as Record<string, unknown>)[name] as object;
  const changed = withValue(inner, rest, value);
  return { ...answer, [name]: Array.isArray(inner) ? Object.values(changed) : changed };
}

/** One operation, with a server of its own, so that all operations can be tried at once. */
class Trial {
  readonly server = new ScriptedServer();
  private service: ValidatingService | undefined;

  constructor(readonly name: OnAuthy) {}

  async start(): Promise<void> {
    await this.server.start();
    this.service = this.serviceAt(this.server.url);
  }

  async stop(): Promise<void> {
    this.service?.close();
    await this.server.stop();
  }

  serviceAt(baseUrl: string): ValidatingService {
    return new ValidatingService(new AuthyClient({ apiKey: 'answers-test-key', baseUrl, deadline: 2000 }));
  }

  /** How a call ends with these answers: the outcome, or the code of the error. */
  async endOf(...steps: [Step, ...Step[]]): Promise<string> {
    this.server.script(...steps);
    return this.end(this.service as ValidatingService);
  }

  async end(service: ValidatingService, deadline?: number): Promise<string> {
    try {
      const { outcome } = await service.perform(this.name, exchanges[this.name].inputs, { deadline });
      return outcome;
    } catch (error) {
      if (error instanceof AuthyError) return error.code;
      throw error;
    }
  }
}

const json = ({ status, text }: Answer): Step => ({ status, text, type: 'application/json' });

/** A server that answers each request with this function. */
async function serverOf(
  answer: (response: http.ServerResponse) => void,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = http.createServer((request, response) => {
    request.resume();
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

describe('Attack: answers that must not be believed', function () {
  this.timeout(0);
  const trials = onAuthy.map((name) => new Trial(name));
  const account: Record<string, number> = {};

  before(() => Promise.all(trials.map((trial) => trial.start())));
  after(async () => {
    await Promise.all(trials.map((trial) => trial.stop()));
    process.stdout.write(`      ${JSON.stringify(account)}\n`);
  });

  /** Tries all operations at once. If one fails, waits for the others, so that they do not disturb the next test. */
  async function eachTrial(attempt: (trial: Trial) => Promise<void>): Promise<void> {
    for (const result of await Promise.allSettled(trials.map(attempt))) {
      if (result.status === 'rejected') throw result.reason;
    }
  }

  /** Tries a list of answers with each operation. @throws if one opens a door that must stay closed */
  async function tryAll(answersFor: (name: OnAuthy) => readonly Answer[]): Promise<void> {
    await eachTrial(async (trial) => {
      for (const answer of answersFor(trial.name)) {
        const end = await trial.endOf(json(answer));
        account[end] = (account[end] ?? 0) + 1;
        // "invalid" may come with an error status: that is how Authy answers a wrong code.
        const isSuccess = !end.startsWith('AUTHY_') && end !== 'invalid';
        const isWrong = decisive.includes(end)
          ? !isDocumentedSuccess(trial.name, answer)
          : isSuccess && answer.status !== 200;
        if (isWrong) {
          throw new Error(
            `${trial.name} ended as ${end} by HTTP ${answer.status} ${answer.text.slice(0, 300)}`,
          );
        }
      }
    });
  }

  const documented = (name: OnAuthy): object => exchanges[name].answer;

  it('the documented answer is believed: so the tests below can fail', async () => {
    for (const trial of trials) {
      const end = await trial.endOf({ status: 200, json: documented(trial.name) });
      end.should.equal(exchanges[trial.name].outcome);
      const text = JSON.stringify(documented(trial.name));
      isDocumentedSuccess(trial.name, { status: 200, text }).should.be.true();
    }
  });

  it('an answer with a wrong value in any field, or without any one field, opens no door', () =>
    tryAll((name) =>
      pathsOf(documented(name)).flatMap((path) =>
        [...wrong, undefined].map((value) => ({
          status: 200,
          text: JSON.stringify(withValue(documented(name), path, value)),
        })),
      ),
    ));

  it('any other spelling of success is not believed', async () => {
    await eachTrial(async (trial) => {
      for (const success of spellings) {
        const end = await trial.endOf({ status: 200, json: { ...documented(trial.name), success } });
        end.should.equal('AUTHY_BAD_RESPONSE', `${trial.name}, ${JSON.stringify(success)}`);
      }
    });
  });

  it('the documented body with any other status opens no door', () =>
    tryAll((name) => {
      const isRepeated = !['tokenVerify', 'phoneCheck', 'onetouchSend', 'tokenSms'].includes(name);
      const all = Array.from({ length: 399 }, (_, index) => 201 + index);
      // Operations that are repeated after a 5xx would take too long.
      return (isRepeated ? all.filter((status) => status < 500 && status !== 429) : all).map((status) => ({
        status,
        text: JSON.stringify(documented(name)),
      }));
    }));

  it('an answer that contradicts itself, in status or body, opens no door', () =>
    tryAll((name) => {
      const text = (changes: object): string => JSON.stringify({ ...documented(name), ...changes });
      return [
        { status: 401, text: text({}) },
        { status: 401, text: text({ error_code: '60001' }) },
        { status: 404, text: text({ error_code: '60026' }) },
        { status: 400, text: text({ success: false }) },
        { status: 200, text: text({ success: false }) },
        { status: 200, text: text({ success: false, error_code: '60001' }) },
        { status: 201, text: text({ error_code: '60001' }) },
      ];
    }));

  it('success with an error number is not believed', async () => {
    for (const trial of trials) {
      for (const error_code of ['60020', '60001', 60000]) {
        const end = await trial.endOf({ status: 200, json: { ...documented(trial.name), error_code } });
        end.should.equal('AUTHY_BAD_RESPONSE');
      }
    }
  });

  it('a web page, a part of the answer, or something that looks like the answer opens no door', () =>
    tryAll((name) => {
      const text = JSON.stringify(documented(name));
      return [
        '', ' ', 'null', 'true', '1', '"is valid"', `[${text}]`, JSON.stringify(text), `${text}${text}`, `${text},`, `(${text})`,
        text.slice(0, -1), text.slice(0, text.length / 2), `${text}\u0000`, text.replaceAll('"', "'"), `/**/${text}`,
        `<html><body>${text}</body></html>`, `<script>${text}</script>`, `callback(${text})`, `)]}',\n${text}`,
        `{"data":${text}}`, `{"__proto__":${text}}`, `{"constructor":{"prototype":${text}}}`, `{"success":true}`,
        `{"success":"true","message":"Token is valid."}`, 'success=true&token=is+valid', '<html>Log in to the hotel</html>',
      ].map((body) => ({ status: 200, text: body })); // prettier-ignore
    }));

  it('a random answer opens no door', async () => {
    const member = fc.constantFrom(
      'success',
      'token',
      'status',
      'approval_request',
      'uuid',
      'user',
      'id',
      'error_code',
      '_authy_id',
    );
    const value = fc.oneof(
      fc.constantFrom<unknown>(true, 'true', 'is valid', 'approved', uuid, 209, '60020', '60022'),
      fc.jsonValue(),
    );
    const body = fc.dictionary(member, fc.oneof(value, fc.dictionary(member, value)));
    const answer = fc.record({
      status: fc.oneof(
        { arbitrary: fc.constant(200), weight: 5 },
        { arbitrary: fc.integer({ min: 201, max: 428 }), weight: 1 },
      ),
      text: fc.oneof(
        { arbitrary: body.map((made) => JSON.stringify(made)), weight: 5 },
        { arbitrary: fc.string(), weight: 1 },
      ),
    });
    const answers = samples(answer, 300);
    await tryAll(() => answers);
  });

  it('a redirect to another host is not followed, and nothing reaches that host', async () => {
    const other = await new ScriptedServer().start();
    try {
      for (const status of [300, 301, 302, 303, 304, 305, 307, 308]) {
        await eachTrial(async (trial) => {
          other.script({ status: 200, json: documented(trial.name) });
          const { request } = exchanges[trial.name];
          for (const Location of [
            `${other.url}${request.split(' ')[1] ?? ''}`,
            other.url.replace('http:', ''),
          ]) {
            const end = await trial.endOf({
              status,
              json: documented(trial.name),
              headers: { Location, Refresh: `0; ${Location}` },
            });
            end.should.match(/^AUTHY_(?:BAD_RESPONSE|OUTCOME_UNKNOWN)$/, trial.name);
          }
        });
      }
      other.connections.should.equal(0);
    } finally {
      await other.stop();
    }
  });

  it('a body of 1 GB is cut off soon after its first megabyte, also if it is compressed', async () => {
    const gigabyte = 1024 ** 3;
    for (const encoding of ['identity', 'gzip', 'without end']) {
      let taken = 0;
      const server = await serverOf((response) => {
        response.writeHead(200, {
          'Content-Type': 'application/json',
          ...(encoding === 'gzip' ? { 'Content-Encoding': 'gzip' } : {}),
          ...(encoding === 'identity' ? { 'Content-Length': String(gigabyte) } : {}),
        });
        const chunk = Buffer.alloc(65_536, 0x20);
        const stream = encoding === 'gzip' ? createGzip() : response;
        if (encoding === 'gzip') (stream as ReturnType<typeof createGzip>).pipe(response);
        const pour = (): void => {
          while (taken < gigabyte && !response.destroyed) {
            taken += chunk.length;
            if (!stream.write(chunk)) return;
          }
        };
        stream.on('drain', pour);
        stream.on('error', () => undefined);
        pour();
      });
      try {
        for (const trial of trials) {
          taken = 0;
          const service = trial.serviceAt(server.url);
          (await trial.end(service)).should.match(
            /^AUTHY_(?:BAD_RESPONSE|OUTCOME_UNKNOWN|TIMEOUT|UNAVAILABLE)$/,
            trial.name,
          );
          service.close();
          // The sockets on both sides hold some of it too. With gzip, the sent bytes are far fewer than `taken`.
          if (encoding !== 'gzip') taken.should.be.below(32 * 1024 * 1024);
        }
      } finally {
        await server.stop();
      }
    }
  });

  it('endless headers, and an answer that is not complete before the deadline, are errors', async () => {
    const responders: ((response: http.ServerResponse, name: OnAuthy) => void)[] = [
      (response) => response.socket?.write(`HTTP/1.1 200 OK\r\n${'X: x\r\n'.repeat(10_000)}`),
      (response) => {
        const timer = setInterval(() => response.socket?.write('HTTP/1.1 100 Continue\r\n\r\n'), 5);
        response.socket?.on('close', () => clearInterval(timer));
      },
      (response, name) => {
        const text = JSON.stringify(documented(name));
        response.writeHead(200, { 'Content-Type': 'application/json' });
        let at = 0;
        const timer = setInterval(() => {
          // All but the last byte comes soon; without that one the answer is not complete.
          at = Math.min(at + 40, text.length - 1);
          response.write(at === text.length - 1 ? ' ' : text.slice(at - 40, at));
        }, 5);
        response.on('close', () => clearInterval(timer));
      },
      (response, name) => {
        // The JSON is complete, but the response never ends.
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.write(JSON.stringify(documented(name)));
      },
    ];
    for (const respond of responders) {
      await eachTrial(async (trial) => {
        const server = await serverOf((response) => respond(response, trial.name));
        const service = trial.serviceAt(server.url);
        (await trial.end(service, 400)).should.match(
          /^AUTHY_(?:TIMEOUT|OUTCOME_UNKNOWN|UNAVAILABLE|NETWORK)$/,
          trial.name,
        );
        service.close();
        await server.stop();
      });
    }
  });

  it('an additional answer is not taken for the answer of the next call', async () => {
    await eachTrial(async (trial) => {
      const text = JSON.stringify(documented(trial.name));
      let asked = 0;
      let written = (): void => undefined;
      const isWritten = new Promise<void>((resolve) => (written = resolve));
      const server = await serverOf((response) => {
        asked += 1;
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.end(asked === 1 ? text : '{"success":false}');
        if (asked > 1) return;
        const { socket } = response;
        // By then the first answer has been read, and the connection is free.
        setTimeout(() => {
          const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}`;
          socket?.write(`${head}\r\n\r\n${text}`, () => written());
        }, 50);
      });
      const service = trial.serviceAt(server.url);
      (await trial.end(service)).should.equal(exchanges[trial.name].outcome);
      await isWritten;
      // By then the client has read it.
      await new Promise((resolve) => setTimeout(resolve, 50));
      (await trial.end(service)).should.match(
        /^AUTHY_(?:BAD_RESPONSE|OUTCOME_UNKNOWN|UNAVAILABLE)$/,
        trial.name,
      );
      asked.should.be.above(1, trial.name);
      service.close();
      await server.stop();
    });
  });
});

import type { SecureContextOptions } from 'node:tls';
import { AuthyError, untrustedAnswer } from '../../contract/errors';
import { type JsonObject, member, textOrNull } from '../../contract/json';
import { Secrets } from '../../contract/secrets';
import type { CallOptions, ProxySetting, ServiceAnswer } from '../../contract/service';
import { basicAuthorization, formBody, formText, jsonObject } from '../../http/bodies';
import { Caller, type Judged } from '../../http/call';
import { proxyFor, secretsOf } from '../../http/proxy';
import { hasEffect, type RepeatPolicy, retryAfterSeconds } from '../../http/retry';
import { type HttpAnswer, serviceAddress } from '../../http/transport';
import { isDocumented, isRateLimit, refusal } from './error-numbers';

export interface VerifyClientOptions {
  /** The SID of an API key or of the account. */
  readonly user: string;
  readonly secret: string;
  /** Of Verify, or of Lookup. */
  readonly baseUrl: string;
  /** For a whole call, waiting and repeating included, in milliseconds. */
  readonly deadline: number;
  /** Calls running at once. Ten times as many may wait. */
  readonly maxInFlight: number;
  readonly tls?: SecureContextOptions | undefined;
  readonly proxy?: ProxySetting | undefined;
}

/** Fields of a request. A list repeats the name; those that are undefined are left out. */
type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

/** One request to Twilio. */
export interface VerifyRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Of validated parts, each escaped. */
  readonly path: string;
  /** The form of a POST, or the query of a GET. */
  readonly fields?: Fields;
  /** What may happen when an attempt fails; see retry.ts. */
  readonly repeat: RepeatPolicy;
}

/** An answer of Twilio. */
export interface Answer {
  readonly statusCode: number;
  /** As it came: decisions are read from it. Empty if the answer has no content. */
  readonly body: JsonObject;
  /** Without the secrets that it repeats: what is handed on. */
  readonly shown: JsonObject;
}

/** What an answer means, and the answer. */
export interface Read<T> {
  readonly value: T;
  readonly answer: ServiceAnswer;
}

/** Reads an answer; throws if it is not the documented one. */
type Reader<T> = (answer: Answer) => T;

/**
 * A client of Twilio's REST API. Source: https://www.twilio.com/docs/usage/requests-to-twilio,
 * https://www.twilio.com/docs/usage/twilios-response
 */
export class VerifyClient {
  private readonly caller: Caller;
  private readonly secrets: Secrets;

  /** @throws TypeError - if the base URL or the proxy cannot be used; the message says why */
  constructor({ user, secret, baseUrl, deadline, maxInFlight, tls, proxy: chosen }: VerifyClientOptions) {
    const address = new URL(serviceAddress(baseUrl, '', secret));
    const proxy = proxyFor(address, chosen);
    const authorization = basicAuthorization(user, secret);
    const others = [authorization.split(' ')[1] ?? '', ...secretsOf(proxy)];
    this.secrets = new Secrets([
      [secret, '[API key secret]'],
      ...others.map((text): [string, string] => [text, '[secret]']),
    ]);
    this.caller = new Caller({
      name: 'Twilio',
      address,
      proxy,
      tls,
      headers: { Authorization: authorization, Accept: 'application/json', 'User-Agent': 'node-red-authy' },
      secrets: this.secrets,
      deadline,
      maxInFlight,
    });
  }

  /** Whether it asks a server on this machine, or a simulator elsewhere. */
  get isLocal(): boolean {
    return this.caller.isLocal;
  }

  /**
   * Makes a request, within the deadline and with the repeats its policy allows.
   *
   * @param read - reads an answer with a 2xx status
   * @param refusals - by Twilio's error number: reads a refusal that is a result and not an error
   * @throws AuthyError
   */
  call<T>(
    { method, path, fields = {}, repeat }: VerifyRequest,
    read: Reader<T>,
    options: CallOptions,
    refusals: Readonly<Record<number, Reader<T>>> = {},
  ): Promise<Read<T>> {
    const query = method === 'GET' ? formText(fields) : '';
    const request = {
      method,
      path: query === '' ? path : `${path}?${query}`,
      ...(method === 'POST' ? { body: formBody(fields) } : {}),
    };
    return this.caller.call(
      {
        repeat,
        request: (index) => (index === 0 ? request : undefined),
        judge: (http) => this.judge(repeat, http, read, refusals, secretsIn(fields)),
      },
      options,
    );
  }

  /** Closes the idle connections. Running calls are ended by their own signals. */
  close(): void {
    this.caller.close();
  }

  private judge<T>(
    repeat: RepeatPolicy,
    http: HttpAnswer,
    read: Reader<T>,
    refusals: Readonly<Record<number, Reader<T>>>,
    own: Secrets,
  ): Judged<Read<T>> {
    const { statusCode } = http;
    const body = statusCode === 204 && http.body === '' ? {} : jsonObject(http.body);
    const number = body && errorNumber(body);
    const answer: Answer | undefined = body && {
      statusCode,
      body,
      // The secret of an authenticator is in no answer that is handed on.
      shown: own.outOf(this.secrets.outOf('binding' in body ? { ...body, binding: null } : body)),
    };
    const shown = answer?.shown;
    const retryAfter = retryAfterSeconds(http.retryAfter);
    const refused = (): AuthyError =>
      refusal(number, shown && said(shown), { statusCode, retryAfter, response: shown });

    if (answer !== undefined && statusCode >= 200 && statusCode < 300) {
      if (number !== undefined) throw untrustedAnswer('it says success and has an error number');
      return { value: readBy(read, answer) };
    }
    const known = number !== undefined && statusCode >= 400 ? refusals[number] : undefined;
    if (answer !== undefined && known !== undefined) return { value: readBy(known, answer) };
    if (statusCode === 429 && isRateLimit(number)) return { failure: 'rateLimited', error: refused() };
    if (statusCode >= 500 && !isDocumented(number)) {
      const why = `it answered HTTP ${statusCode} with ${answer === undefined ? typeOf(http) : 'an error'}`;
      const facts = { statusCode, retryAfter, response: shown };
      return { failure: 'noAnswer', error: this.caller.noAnswerError(repeat, why, facts) };
    }
    if (answer === undefined || number === undefined || statusCode < 400) throw foreign(repeat, http, shown);
    throw refused();
  }
}

/** The fields of a request that no answer may bring back into a message or a log. */
const secretFields = ['Binding.Secret', 'AuthPayload', 'Code', 'CustomCode'];

function secretsIn(fields: Fields): Secrets {
  return new Secrets(
    secretFields.flatMap((name) => [fields[name] ?? []].flat().map((text) => [text, '[secret]'])),
  );
}

function readBy<T>(read: Reader<T>, answer: Answer): Read<T> {
  const { statusCode, shown: body } = answer;
  return { value: read(answer), answer: { statusCode, body } };
}

/** An answer that is not Twilio's: a proxy's page, a captive portal, a wrong base URL. */
function foreign(repeat: RepeatPolicy, http: HttpAnswer, response: JsonObject | undefined): AuthyError {
  const isOpen = hasEffect(repeat) && http.statusCode < 400;
  return new AuthyError(
    'AUTHY_BAD_RESPONSE',
    `Check the base URL of the account, and the proxy: the answer is not Twilio's, HTTP ${http.statusCode} with ` +
      `${typeOf(http)}.${isOpen ? ' It is not known whether the request was carried out.' : ''}`,
    { statusCode: http.statusCode, response },
  );
}

function typeOf(http: HttpAnswer): string {
  return http.contentType.split(';')[0]?.trim().slice(0, 50) || 'no content type';
}

function errorNumber(body: JsonObject): number | undefined {
  const code = member(body, 'code');
  return typeof code === 'number' && Number.isSafeInteger(code) && code > 0 ? code : undefined;
}

/** The body's own message, short enough for an error message. Numbers in it may be phone numbers. */
function said(shown: JsonObject): string | undefined {
  const message = textOrNull(shown, 'message');
  return message?.replace(/\+?\d[\d ().-]{4,}\d/g, (digits) => `…${digits.slice(-2)}`).slice(0, 200);
}

/**
 * A member that has to be there for the answer to be trusted.
 *
 * @throws AuthyError - `AUTHY_BAD_RESPONSE`
 */
export function expectText(body: JsonObject, name: string): string {
  const value = member(body, name);
  if (typeof value !== 'string' || value === '') throw untrustedAnswer(`it has no ${name}`);
  return value;
}

/** Checks that an answer is about the very thing that was asked. @throws AuthyError - `AUTHY_BAD_RESPONSE` */
export function expectSame(body: JsonObject, name: string, expected: string): void {
  if (expectText(body, name) !== expected) throw untrustedAnswer(`its ${name} is another one`);
}

import type { SecureContextOptions } from 'node:tls';
import { AuthyError } from '../../contract/errors';
import { type JsonObject, member, textOrNull } from '../../contract/json';
import { Secrets } from '../../contract/secrets';
import type { CallOptions, ProxySetting } from '../../contract/service';
import { formText, jsonBody, jsonObject } from '../../http/bodies';
import { type Call, Caller, type CallRequest, type Judged } from '../../http/call';
import { proxyFor, secretsOf } from '../../http/proxy';
import { hasEffect, type RepeatPolicy, retryAfterSeconds } from '../../http/retry';
import { type HttpAnswer, serviceAddress } from '../../http/transport';
import { type Answer, isSuccess, untrusted } from './answer';
import { apiKeyProblem } from './api-key';
import { authyBaseUrl, type Endpoint, endpointPath, type Outcome } from './endpoint';
import { isDocumented, maskNumbers, numberSaid, refusal } from './error-numbers';

export interface AuthyClientOptions {
  apiKey: string;
  /** Default `https://api.authy.com`. */
  baseUrl?: string | undefined;
  /** The prefix of every path; default none. */
  pathPrefix?: string | undefined;
  /** For a whole call, waiting and repeating included, in milliseconds. */
  deadline?: number | undefined;
  /** Calls running at once. Ten times as many may wait. */
  maxInFlight?: number | undefined;
  proxy?: ProxySetting | undefined;
  tls?: SecureContextOptions | undefined;
  /** Further secrets to remove from answers that repeat them, beside the key and the proxy's password. */
  secrets?: readonly string[] | undefined;
}

const tooManyRequests = '60003';

/** An outcome, and the answer it was read from. */
type Answered<Name extends string, Result extends object> = Outcome<Name, Result> & { answer: Answer };

/** A client of the Authy REST API. Source: https://www.twilio.com/docs/authy/api */
export class AuthyClient {
  private readonly caller: Caller;
  private readonly secrets: Secrets;

  /** @throws TypeError - if the key, the base URL, the path prefix or the proxy cannot be used; the message says why */
  constructor({ apiKey, baseUrl = authyBaseUrl, pathPrefix, tls, ...options }: AuthyClientOptions) {
    const problem = apiKeyProblem(apiKey);
    if (problem !== undefined) throw new TypeError(`API key: ${problem}`);
    const address = new URL(serviceAddress(baseUrl, pathPrefix ?? '', apiKey));
    const proxy = proxyFor(address, options.proxy);
    const others = [...(options.secrets ?? []), ...secretsOf(proxy)];
    this.secrets = new Secrets([
      [apiKey, '[API key]'],
      ...others.map((text): [string, string] => [text, '[secret]']),
    ]);
    this.caller = new Caller({
      name: 'Authy',
      address,
      proxy,
      tls,
      headers: { 'X-Authy-API-Key': apiKey, Accept: 'application/json', 'User-Agent': 'node-red-authy' },
      secrets: this.secrets,
      deadline: options.deadline,
      maxInFlight: options.maxInFlight,
    });
  }

  /** Whether it asks a server on this machine, or a simulator elsewhere. */
  get isLocal(): boolean {
    return this.caller.isLocal;
  }

  /** Of a call that has none of its own, in milliseconds. */
  get deadline(): number {
    return this.caller.deadline;
  }

  /**
   * Asks one operation of Authy, within the deadline and with the repeats its policy allows.
   *
   * @param endpoint - which operation
   * @param values - its validated inputs
   * @returns the outcome and the answer it was read from
   * @throws AuthyError - see {@link AuthyErrorCode}
   */
  call<Values, Name extends string, Result extends object>(
    endpoint: Endpoint<Values, Name, Result>,
    values: Values,
    options?: CallOptions,
  ): Promise<Answered<Name, Result>> {
    const call: Call<Answered<Name, Result>> = {
      repeat: endpoint.repeat,
      request: (index) => requestOf(endpoint, values, index),
      judge: (http, mayHaveHappened) => this.judge(endpoint, values, http, mayHaveHappened),
    };
    return this.caller.call(call, options);
  }

  /** Closes the idle connections. Running calls are ended by their own signals. */
  close(): void {
    this.caller.close();
  }

  /** Reads an answer: an outcome, a failure that might be repeated, or an error. */
  private judge<Values, Name extends string, Result extends object>(
    endpoint: Endpoint<Values, Name, Result>,
    values: Values,
    http: HttpAnswer,
    mayHaveHappened: boolean,
  ): Judged<Answered<Name, Result>> {
    const { statusCode } = http;
    const body = jsonObject(http.body);
    // Decisions are read from the answer as it came; what is handed on has the repeated secrets removed.
    const answer: Answer | undefined = body && {
      statusCode,
      body,
      shown: this.shown(endpoint, statusCode, body),
    };
    const authyCode = body && errorCode(body);
    const meant = authyCode ?? (body && unwrittenCode(statusCode, body, endpoint));
    const retryAfter = retryAfterSeconds(http.retryAfter);
    const facts = { statusCode, retryAfter, response: answer?.shown };

    const refused = (): AuthyError => refusal(authyCode, answer && said(answer), facts, meant);

    if (statusCode === 429 || (statusCode >= 400 && meant === tooManyRequests)) {
      return { failure: 'rateLimited', error: refused() };
    }
    // A 5xx that carries one of Authy's own numbers says what happened; any other leaves it open.
    if (statusCode >= 500 && !isDocumented(meant)) {
      const seen = answer === undefined ? `with ${typeOf(http)} instead of JSON` : `"${said(answer) ?? ''}"`;
      return {
        failure: 'noAnswer',
        error: this.caller.noAnswerError(endpoint.repeat, `it answered HTTP ${statusCode} ${seen}`, facts),
      };
    }
    if (answer === undefined) {
      const error = unreadable(endpoint.repeat, http);
      if (statusCode === 404) return { failure: 'noRoute', error };
      throw error;
    }

    const isBare = endpoint.saysSuccess === false && !Object.hasOwn(answer.body, 'success');
    if (statusCode === 200 && (isBare || isSuccess(answer.body))) {
      if (authyCode !== undefined) throw untrusted('it says success and has an error number', answer);
      return this.answered(endpoint.read(answer, values), answer);
    }
    if (statusCode >= 300 && statusCode < 400) throw untrusted(`it redirects (HTTP ${statusCode})`, answer);
    if (statusCode < 400 && authyCode === undefined) {
      throw untrusted(`HTTP ${statusCode} without the documented success`, answer);
    }
    const read =
      meant === undefined
        ? undefined
        : (endpoint.refusals?.[meant] ?? (mayHaveHappened ? endpoint.doneBefore?.[meant] : undefined));
    if (read !== undefined) return this.answered(read(answer, values), answer);
    if (statusCode === 404 && meant === undefined) return { failure: 'noRoute', error: refused() };
    throw refused();
  }

  /** The body without the secrets that it repeats. Of one that was asked for its secrets, only a refusal is shown. */
  private shown(
    { secretMembers = [] }: Pick<Endpoint<never>, 'secretMembers'>,
    statusCode: number,
    body: JsonObject,
  ): JsonObject {
    const shown = this.secrets.outOf(body);
    if (secretMembers.length === 0) return shown;
    if (statusCode < 400) return {};
    const there = secretMembers.filter((name) => Object.hasOwn(body, name));
    const own = new Secrets(there.map((name) => [String(member(body, name)), '[secret]']));
    return { ...own.outOf(shown), ...Object.fromEntries(there.map((name) => [name, '[secret]'])) };
  }

  private answered<Name extends string, Result extends object>(
    { outcome, result }: Outcome<Name, Result>,
    answer: Answer,
  ): { value: Answered<Name, Result> } {
    return { value: { outcome, result: this.secrets.outOf(result), answer } };
  }
}

/** The request by one of an endpoint's paths; undefined if there is no further one. */
function requestOf<Values>(
  endpoint: Endpoint<Values>,
  values: Values,
  index: number,
): CallRequest | undefined {
  const template = endpoint.paths[index];
  if (template === undefined) return undefined;
  const { method } = endpoint;
  const path = endpointPath(template, endpoint.pathValues?.(values));
  const parameters = endpoint.parameters?.(values) ?? {};
  if (method === 'POST') return { method, path, body: jsonBody(parameters) };
  const query = formText(parameters);
  return { method, path: query === '' ? path : `${path}?${query}` };
}

/** An answer that is not JSON: a proxy's page, a captive portal, a wrong base URL. */
function unreadable(repeat: RepeatPolicy, http: HttpAnswer): AuthyError {
  const open =
    hasEffect(repeat) && http.statusCode < 400 ? ' Whether the request was carried out is not known.' : '';
  return new AuthyError(
    'AUTHY_BAD_RESPONSE',
    `Check the account's base URL and path prefix, and the proxy: the answer is not Authy's, HTTP ${http.statusCode} with ` +
      `${typeOf(http)} instead of JSON.${open}`,
    { statusCode: http.statusCode },
  );
}

function typeOf(http: HttpAnswer): string {
  return http.contentType.split(';')[0]?.trim().slice(0, 50) || 'no content type';
}

/** Authy writes its error numbers as text; some clients of it expect a number. */
function errorCode(body: Answer['body']): string | undefined {
  const code = member(body, 'error_code');
  if (typeof code === 'string' && /^[0-9]{1,6}$/.test(code)) return code;
  return typeof code === 'number' && Number.isSafeInteger(code) ? String(code) : undefined;
}

/** The error number that an old answer without one means. */
function unwrittenCode(
  statusCode: number,
  body: JsonObject,
  { unnumbered }: Pick<Endpoint<never>, 'unnumbered'>,
): string | undefined {
  const message = textOrNull(body, 'message');
  if (message === null || isSuccess(body) || Object.hasOwn(body, 'error_code')) return undefined;
  return numberSaid(statusCode, message, unnumbered);
}

/** The body's own message, short enough for an error message. */
function said({ shown }: Answer): string | undefined {
  const message = textOrNull(shown, 'message');
  return message === null ? undefined : maskNumbers(message).slice(0, 200);
}

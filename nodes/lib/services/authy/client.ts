import type { SecureContextOptions } from 'node:tls';
import { apiKeyProblem } from './api-key';
import { Cancellation, Cancelled } from '../../http/cancellation';
import { isDocumented, maskNumbers, numberSaid, refusal } from './error-numbers';
import { authyBaseUrl, type Endpoint, endpointPath, type Outcome } from './endpoint';
import { AuthyError } from '../../contract/errors';
import { isNestedDeeper, isObject, type JsonObject, member, textOrNull } from '../../contract/json';
import type { CallOptions, ProxySetting } from '../../contract/service';
import { parseExact } from '../../contract/json-numbers';
import { Limiter } from '../../http/limiter';
import { isLoopback, proxyFor, secretsOf } from '../../http/proxy';
import { reasonOf } from '../../http/reasons';
import { type Answer, isSuccess, untrusted } from './answer';
import { Attempts, type Failure, hasEffect, type RepeatPolicy, retryAfterSeconds } from '../../http/retry';
import { Secrets } from '../../contract/secrets';
import { type HttpAnswer, serviceAddress, Transport, TransportError } from '../../http/transport';

export interface AuthyClientOptions {
  apiKey: string;
  /** Default `https://api.authy.com`. */
  baseUrl?: string | undefined;
  /** Put before every path; default none. */
  pathPrefix?: string | undefined;
  /** For a whole call, waiting and repeating included, in milliseconds; default 15,000. */
  deadline?: number | undefined;
  /** Calls under way at once; default 10. Ten times as many may wait. */
  maxInFlight?: number | undefined;
  proxy?: ProxySetting | undefined;
  tls?: SecureContextOptions | undefined;
  /** What else must not come out where the other end repeats it, beside the key and the proxy's password. */
  secrets?: readonly string[] | undefined;
}

/** Node.js's timers hold no more milliseconds, and end at once where they are given more: 24.8 days. */
const longestTimer = 2 ** 31 - 1;

const defaultDeadline = 15_000;
const defaultMaxInFlight = 10;
const waitingPerPlace = 10;

/** How many levels an answer may have. Authy's own have four. */
const deepestBody = 100;

const tooManyRequests = '60003';

const lateAnswer = 'no answer came in time';

/** Why a call ended that was not finished. */
type Ending = 'deadline' | 'cancelled';

/** The clock of one call, and what is known of its attempts. */
interface CallState {
  repeat: RepeatPolicy;
  cancellation: Cancellation;
  /** When it must be over, by `performance.now()`. */
  endsAt: number;
  ending: Ending;
  attempts: Attempts;
  /** Whether bytes of the present attempt may have left. */
  isSent: boolean;
  /** Whether an earlier attempt's answer was lost: the operation may have been done. */
  mayHaveHappened: boolean;
}

interface Call<Values, Name extends string, Result extends object> extends CallState {
  endpoint: Endpoint<Values, Name, Result>;
  values: Values;
  /** Which of the endpoint's paths is asked: the server does not know those before. */
  path: number;
}

/** A client of the Authy REST API. Source: https://www.twilio.com/docs/authy/api */
export class AuthyClient {
  /** Whether it asks a server on this machine. */
  readonly isLocal: boolean;
  private readonly host: string;
  private readonly prefix: string;
  private readonly transport: Transport;
  private readonly limiter: Limiter;
  private readonly deadline: number;
  private readonly secrets: Secrets;

  /** @throws TypeError - where the key, the base URL, the path prefix or the proxy cannot be used; the message says why */
  constructor(options: AuthyClientOptions) {
    const problem = apiKeyProblem(options.apiKey);
    if (problem !== undefined) throw new TypeError(`API key: ${problem}`);
    const address = new URL(serviceAddress(options.baseUrl ?? authyBaseUrl, options.pathPrefix));
    this.isLocal = isLoopback(address.hostname);
    this.host = address.host;
    this.prefix = address.pathname.replace(/\/$/, '');
    this.deadline = options.deadline ?? defaultDeadline;
    const places = options.maxInFlight ?? defaultMaxInFlight;
    this.limiter = new Limiter(places, places * waitingPerPlace);
    const proxy = proxyFor(address, options.proxy);
    this.secrets = new Secrets([
      [options.apiKey, '[API key]'],
      ...[...(options.secrets ?? []), ...secretsOf(proxy)].map((text): [string, string] => [
        text,
        '[secret]',
      ]),
    ]);
    this.transport = new Transport({
      origin: address.origin,
      proxy,
      tls: options.tls,
      headers: {
        'X-Authy-API-Key': options.apiKey,
        Accept: 'application/json',
        'User-Agent': 'node-red-authy',
      },
    });
  }

  /**
   * Asks one operation of Authy, within the deadline and with the repeats its policy allows.
   *
   * @param endpoint - which operation
   * @param values - its validated inputs
   * @returns the outcome and the answer it was read from
   * @throws AuthyError - see {@link AuthyErrorCode}
   */
  async call<Values, Name extends string, Result extends object>(
    endpoint: Endpoint<Values, Name, Result>,
    values: Values,
    { signal, onCancelled, deadline: wanted = this.deadline }: CallOptions = {},
  ): Promise<Outcome<Name, Result> & { answer: Answer }> {
    const deadline = Math.min(wanted, longestTimer);
    const cancellation = new Cancellation();
    const call: Call<Values, Name, Result> = {
      endpoint,
      values,
      path: 0,
      repeat: endpoint.repeat,
      cancellation,
      endsAt: performance.now() + deadline,
      ending: 'deadline',
      attempts: new Attempts(endpoint.repeat),
      isSent: false,
      mayHaveHappened: false,
    };
    const cancel = (): void => {
      call.ending = 'cancelled';
      onCancelled?.(endedError(call));
      cancellation.cancel();
    };
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    const timer = setTimeout(() => cancellation.cancel(), deadline);
    try {
      const turn = this.limiter.enter(cancellation);
      if (turn !== undefined) await turn;
      return await this.run(call);
    } catch (error) {
      if (error instanceof AuthyError) throw error;
      // Waiting for a place or for the next attempt was cut short.
      throw error instanceof Cancelled ? endedError(call) : error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** Closes the idle connections. Calls under way are ended by their own signals. */
  close(): void {
    this.transport.close();
  }

  /** Attempts until there is an outcome or an error. Begins with a place of the limiter, and ends without. */
  private async run<Values, Name extends string, Result extends object>(
    call: Call<Values, Name, Result>,
  ): Promise<Outcome<Name, Result> & { answer: Answer }> {
    for (;;) {
      let attempt;
      try {
        attempt = await this.onOnePath(call);
      } finally {
        this.limiter.leave();
      }
      if ('outcome' in attempt) return attempt;
      const { failure, error } = attempt;
      if (failure === 'noAnswer') call.mayHaveHappened = true;
      const wait = call.attempts.next(failure, error.retryAfter);
      if (wait === undefined || performance.now() + wait >= call.endsAt) throw error;
      const turn = this.limiter.enterLater(wait, call.cancellation);
      if (turn === undefined) throw error;
      try {
        await turn;
      } catch (reason) {
        // No place came free in time: what it was told before says more.
        throw reason instanceof Cancelled && call.ending === 'deadline' ? error : reason;
      }
    }
  }

  /** One attempt on the first path that the server knows. */
  private async onOnePath<Values, Name extends string, Result extends object>(
    call: Call<Values, Name, Result>,
  ): Promise<(Outcome<Name, Result> & { answer: Answer }) | { failure: Failure; error: AuthyError }> {
    for (;;) {
      const attempt = await this.attempt(call, call.endpoint.paths[call.path] ?? call.endpoint.paths[0]);
      if ('outcome' in attempt) return attempt;
      call.isSent = false;
      const { failure, error } = attempt;
      if (failure !== 'noRoute') return { failure, error };
      call.path += 1;
      if (call.path >= call.endpoint.paths.length) throw error;
    }
  }

  /** One attempt: an outcome, or a failure that might be repeated. Throws what must not be. */
  private async attempt<Values, Name extends string, Result extends object>(
    call: Call<Values, Name, Result>,
    template: string,
  ): Promise<
    (Outcome<Name, Result> & { answer: Answer }) | { failure: Failure | 'noRoute'; error: AuthyError }
  > {
    const { endpoint, values } = call;
    const { path, body } = this.request(endpoint, values, template);
    const limit = new AttemptLimit(call);
    let http: HttpAnswer;
    try {
      http = await this.transport.send({
        method: endpoint.method,
        path,
        body,
        cancellation: limit.cancellation,
        onSent: () => {
          call.isSent = true;
        },
      });
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      return this.lostAttempt(call, new TransportError(error.kind, this.secrets.outOfText(error.reason)));
    } finally {
      limit.clear();
    }
    return this.judge(call, { ...http, contentType: this.secrets.outOfText(http.contentType) });
  }

  private request<Values>(
    endpoint: Endpoint<Values>,
    values: Values,
    template: string,
  ): { path: string; body?: string } {
    const path = this.prefix + endpointPath(template, endpoint.pathValues?.(values));
    const parameters = endpoint.parameters?.(values) ?? {};
    if (endpoint.method === 'POST') return { path, body: JSON.stringify(parameters) };
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined) query.set(name, typeof value === 'string' ? value : JSON.stringify(value));
    }
    return { path: query.size === 0 ? path : `${path}?${query.toString()}` };
  }

  /** No answer came: what that means for the call. */
  private lostAttempt(call: CallState, error: TransportError): { failure: Failure; error: AuthyError } {
    if (call.cancellation.happened) throw endedError(call);
    if (error.kind === 'tls' && !call.isSent) {
      throw new AuthyError(
        'AUTHY_TLS',
        `No secure connection to ${this.host} (${reasonOf(error.reason)}); nothing was sent. ` +
          'Check the certificate, or set a TLS configuration in the account.',
      );
    }
    if (error.kind === 'tooLarge') throw untrusted('it is larger than 1 MiB');
    if (error.kind === 'compressed') throw untrusted('it is compressed, which was not asked for');
    // Asking again with the same password could lock its owner out.
    if (error.reason === 'PROXY_HTTP_407') {
      throw new AuthyError(
        'AUTHY_NETWORK',
        'The proxy wants a user name and password; set them in the http proxy node. Nothing was sent.',
      );
    }
    if (!call.isSent) {
      return {
        failure: 'notSent',
        error: new AuthyError(
          'AUTHY_NETWORK',
          `Could not reach ${this.host} (${reasonText(error)}); nothing was sent. ` +
            'Check the network, the proxy and the base URL of the account.',
        ),
      };
    }
    const cause = error.kind === 'aborted' ? lateAnswer : `the connection broke: ${reasonOf(error.reason)}`;
    return { failure: 'noAnswer', error: noAnswerError(call.repeat, cause) };
  }

  /** Reads an answer: an outcome, a failure that might be repeated, or an error. */
  private judge<Values, Name extends string, Result extends object>(
    call: Call<Values, Name, Result>,
    http: HttpAnswer,
  ): (Outcome<Name, Result> & { answer: Answer }) | { failure: Failure | 'noRoute'; error: AuthyError } {
    const { endpoint, values } = call;
    const { statusCode } = http;
    const body = parsed(http.body);
    // What is decided is read from the answer as it came; what leaves is without the secrets that it repeats.
    const answer: Answer | undefined = body && { statusCode, body, shown: this.secrets.outOf(body) };
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
        error: noAnswerError(endpoint.repeat, `it answered HTTP ${statusCode} ${seen}`, facts),
      };
    }
    if (answer === undefined) {
      const error = unreadable(endpoint.repeat, http);
      if (statusCode === 404) return { failure: 'noRoute', error };
      throw error;
    }

    if (statusCode === 200 && isSuccess(answer.body)) {
      if (authyCode !== undefined) throw untrusted('it says success and has an error number', answer);
      return this.outcome(endpoint.read(answer, values), answer);
    }
    if (statusCode >= 300 && statusCode < 400) throw untrusted(`it redirects (HTTP ${statusCode})`, answer);
    if (statusCode < 400 && authyCode === undefined) {
      throw untrusted(`HTTP ${statusCode} without the documented success`, answer);
    }
    const read =
      meant === undefined
        ? undefined
        : (endpoint.refusals?.[meant] ?? (call.mayHaveHappened ? endpoint.doneBefore?.[meant] : undefined));
    if (read !== undefined) return this.outcome(read(answer, values), answer);
    if (statusCode === 404 && meant === undefined) return { failure: 'noRoute', error: refused() };
    throw refused();
  }

  private outcome<Name extends string, Result extends object>(
    { outcome, result }: Outcome<Name, Result>,
    answer: Answer,
  ): Outcome<Name, Result> & { answer: Answer } {
    return { outcome, result: this.secrets.outOf(result), answer };
  }
}

/**
 * Limits one attempt to its share of the call's time, so that a hanging server leaves some for another try: all of the
 * attempt where that may be repeated, else the part of it before anything is sent.
 */
class AttemptLimit {
  readonly cancellation = new Cancellation();
  private readonly timer: NodeJS.Timeout;
  private readonly abort = (): void => this.cancellation.cancel();

  constructor(private readonly call: CallState) {
    call.cancellation.onCancel(this.abort);
    this.timer = setTimeout(
      () => {
        if (!call.isSent || call.attempts.afterNoAnswer > 0) this.abort();
      },
      (call.endsAt - performance.now()) / 2,
    );
  }

  clear(): void {
    clearTimeout(this.timer);
    this.call.cancellation.off(this.abort);
  }
}

/** The call was ended from here: by its deadline, or because the node closes. */
function endedError(call: CallState): AuthyError {
  const isCancelled = call.ending === 'cancelled';
  const isOpen = call.isSent || call.mayHaveHappened;
  if (isOpen && (hasEffect(call.repeat) || !isCancelled)) {
    return noAnswerError(
      call.repeat,
      isCancelled ? 'the node was closed before the answer came' : lateAnswer,
    );
  }
  return isCancelled
    ? new AuthyError(
        'AUTHY_CANCELLED',
        'The node was closed before the request was sent or answered; nothing was changed.',
      )
    : new AuthyError(
        'AUTHY_TIMEOUT',
        'The time for the call ran out before the request could be sent. Check the network, or give the account a longer deadline.',
      );
}

function noAnswerError(
  repeat: RepeatPolicy,
  why: string,
  facts: ConstructorParameters<typeof AuthyError>[2] = {},
): AuthyError {
  if (hasEffect(repeat)) {
    return new AuthyError(
      'AUTHY_OUTCOME_UNKNOWN',
      `The request was sent, but ${why}: it is not known whether it was carried out. ` +
        'Check before you send it again.',
      facts,
    );
  }
  return why === lateAnswer
    ? new AuthyError(
        'AUTHY_TIMEOUT',
        'Authy gave no answer in time. Try again later, or give the account a longer deadline.',
        facts,
      )
    : new AuthyError('AUTHY_UNAVAILABLE', `Authy could not be asked: ${why}. Try again later.`, facts);
}

/** An answer that is not JSON: a proxy's page, a captive portal, a wrong base URL. */
function unreadable(repeat: RepeatPolicy, http: HttpAnswer): AuthyError {
  const open =
    hasEffect(repeat) && http.statusCode < 400 ? ' Whether the request was carried out is not known.' : '';
  return new AuthyError(
    'AUTHY_BAD_RESPONSE',
    `The answer is not Authy's: HTTP ${http.statusCode} with ${typeOf(http)} instead of JSON. ` +
      `Check the account's base URL and path prefix, and the proxy.${open}`,
    { statusCode: http.statusCode },
  );
}

function reasonText(error: TransportError): string {
  return error.kind === 'aborted' ? 'no connection in time' : reasonOf(error.reason);
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

/** The number that an old answer stands for, which has none. */
function unwrittenCode(
  statusCode: number,
  body: JsonObject,
  { unnumbered }: Pick<Endpoint<never>, 'unnumbered'>,
): string | undefined {
  const message = textOrNull(body, 'message');
  if (message === null || isSuccess(body) || Object.hasOwn(body, 'error_code')) return undefined;
  return numberSaid(statusCode, message, unnumbered);
}

/** The body as an object; undefined where it is none, or nested so deeply that nobody could copy it. */
function parsed(text: string): JsonObject | undefined {
  try {
    const body: unknown = parseExact(text);
    return isObject(body) && !isNestedDeeper(body, deepestBody) ? body : undefined;
  } catch {
    return undefined;
  }
}

/** What the body says of itself, short enough for an error message. */
function said({ shown }: Answer): string | undefined {
  const message = textOrNull(shown, 'message');
  return message === null ? undefined : maskNumbers(message).slice(0, 200);
}

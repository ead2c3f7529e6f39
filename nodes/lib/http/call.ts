import type { SecureContextOptions } from 'node:tls';
import { AuthyError, type AuthyErrorFacts, untrustedAnswer } from '../contract/errors';
import { callLimits } from '../contract/limits';
import type { Secrets } from '../contract/secrets';
import type { CallOptions } from '../contract/service';
import { Cancellation, Cancelled } from './cancellation';
import type { Body } from './connections';
import { Limiter } from './limiter';
import { isLoopback } from '../contract/private-host';
import type { Proxy } from './proxy';
import { reasonOf } from './reasons';
import { Attempts, type Failure, hasEffect, type RepeatPolicy } from './retry';
import { type HttpAnswer, Transport, TransportError } from './transport';

/** How a service is called. */
export interface CallerSettings {
  /** The service's name, for a person to read. */
  readonly name: string;
  /** Scheme, host, port, and the prefix of every path. */
  readonly address: URL;
  /** Sent with every request, such as the name of the client. */
  readonly headers: Readonly<Record<string, string>>;
  readonly proxy: Proxy | undefined;
  readonly tls: SecureContextOptions | undefined;
  /** Removed from answers that repeat them. */
  readonly secrets: Secrets;
  /** For a whole call, waiting and repeating included, in milliseconds; default {@link callLimits}. */
  readonly deadline?: number | undefined;
  /** Calls running at once; default {@link callLimits}. Ten times as many may wait. */
  readonly maxInFlight?: number | undefined;
}

/** One request of a call. */
export interface CallRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path and query, from the service's address. */
  readonly path: string;
  readonly body?: Body | undefined;
}

/** What an answer means: the call is done, or this attempt failed. */
export type Judged<T> = { readonly value: T } | FailedAttempt;

/** A failed attempt that might be repeated, and the error if it is not; `noRoute`: the server does not know the path. */
interface FailedAttempt {
  readonly failure: Failure | 'noRoute';
  readonly error: AuthyError;
}

/** A service's requests, and how it judges the answer. */
export interface Call<T> {
  /** How the call may be repeated when an attempt fails. */
  readonly repeat: RepeatPolicy;
  /**
   * The request. The ones after the first are tried in order, and only if the server has no such route.
   *
   * @returns undefined if there is no further one
   */
  request(index: number): CallRequest | undefined;
  /**
   * @param mayHaveHappened - whether an earlier attempt's answer was lost: it may have been done
   * @throws AuthyError - if nothing can be repeated
   */
  judge(answer: HttpAnswer, mayHaveHappened: boolean): Judged<T>;
}

/** The longest time that Node.js's timers hold, 24.8 days: with more they end at once. */
const longestTimer = 2 ** 31 - 1;

const waitingPerPlace = 10;

const lateAnswer = 'no answer came in time';

/** Why an unfinished call ended. */
type Ending = 'deadline' | 'cancelled';

/** The clock of one call, and the state of its attempts. */
interface CallState {
  readonly repeat: RepeatPolicy;
  readonly cancellation: Cancellation;
  /** When it must be over, by `performance.now()`. */
  readonly endsAt: number;
  ending: Ending;
  readonly attempts: Attempts;
  /** Which of the requests is sent: the server does not know the ones before. */
  request: number;
  /** Whether bytes of the current attempt may have left. */
  isSent: boolean;
  /** Whether an earlier attempt's answer was lost: the operation may have been done. */
  mayHaveHappened: boolean;
}

/**
 * Calls a service: within a deadline, with the allowed attempts, and a limited number at once. The service says what an
 * answer means.
 */
export class Caller {
  /** Whether it calls a server on this machine, or a simulator elsewhere. */
  readonly isLocal: boolean;
  /** Of a call that has none of its own, in milliseconds. */
  readonly deadline: number;
  private readonly name: string;
  private readonly host: string;
  private readonly prefix: string;
  private readonly transport: Transport;
  private readonly limiter: Limiter;
  private readonly secrets: Secrets;

  constructor({ name, address, headers, proxy, tls, secrets, ...limits }: CallerSettings) {
    const { deadline = callLimits.deadline * 1000, maxInFlight = callLimits.maxInFlight } = limits;
    this.name = name;
    // By http, nothing else is called.
    this.isLocal = isLoopback(address.hostname) || address.protocol === 'http:';
    this.host = address.host;
    this.prefix = address.pathname.replace(/\/$/, '');
    this.deadline = deadline;
    this.limiter = new Limiter(maxInFlight, maxInFlight * waitingPerPlace);
    this.secrets = secrets;
    this.transport = new Transport({ origin: address.origin, proxy, tls, headers });
  }

  /**
   * Makes a call, within the deadline and with the repeats its policy allows.
   *
   * @returns what the answer was judged to mean
   * @throws AuthyError
   */
  async call<T>(
    asked: Call<T>,
    { signal, onCancelled, deadline: wanted = this.deadline }: CallOptions = {},
  ): Promise<T> {
    const deadline = Math.min(wanted, longestTimer);
    const cancellation = new Cancellation();
    const state: CallState = {
      repeat: asked.repeat,
      cancellation,
      endsAt: performance.now() + deadline,
      ending: 'deadline',
      attempts: new Attempts(asked.repeat),
      request: 0,
      isSent: false,
      mayHaveHappened: false,
    };
    const cancel = (): void => {
      state.ending = 'cancelled';
      onCancelled?.(this.endedError(state));
      cancellation.cancel();
    };
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    const timer = setTimeout(() => cancellation.cancel(), deadline);
    try {
      const turn = this.limiter.enter(cancellation);
      if (turn !== undefined) await turn;
      return await this.run(asked, state);
    } catch (error) {
      if (error instanceof AuthyError) throw error;
      // The wait for a place or for the next attempt was cut short.
      throw error instanceof Cancelled ? this.endedError(state) : error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** Closes the idle connections. Running calls are ended by their own signals. */
  close(): void {
    this.transport.close();
  }

  /** The error if no answer came, or one that does not say what happened. */
  noAnswerError(repeat: RepeatPolicy, why: string, facts: AuthyErrorFacts = {}): AuthyError {
    if (hasEffect(repeat)) {
      return new AuthyError(
        'AUTHY_OUTCOME_UNKNOWN',
        `Check before you send it again: the request was sent, but ${why}. ` +
          'It is not known whether it was carried out.',
        facts,
      );
    }
    return why === lateAnswer
      ? new AuthyError(
          'AUTHY_TIMEOUT',
          `Try again later, or give the account a longer deadline: ${this.name} gave no answer in time.`,
          facts,
        )
      : new AuthyError(
          'AUTHY_UNAVAILABLE',
          `Try again later: ${this.name} gave no usable answer (${why}).`,
          facts,
        );
  }

  /** Attempts until there is a value or an error. It holds a place of the limiter at the beginning, and none at the end. */
  private async run<T>(asked: Call<T>, state: CallState): Promise<T> {
    for (;;) {
      let attempt;
      try {
        attempt = await this.onOneRoute(asked, state);
      } finally {
        this.limiter.leave();
      }
      if ('value' in attempt) return attempt.value;
      const { failure, error } = attempt;
      if (failure === 'noAnswer') state.mayHaveHappened = true;
      const wait = state.attempts.next(failure, error.retryAfter);
      if (wait === undefined || performance.now() + wait >= state.endsAt) throw error;
      const turn = this.limiter.enterLater(wait, state.cancellation);
      if (turn === undefined) throw error;
      try {
        await turn;
      } catch (reason) {
        // No place came free in time: the error of the previous attempt says more.
        throw reason instanceof Cancelled && state.ending === 'deadline' ? error : reason;
      }
    }
  }

  /** One attempt by the first request that the server knows. */
  private async onOneRoute<T>(
    asked: Call<T>,
    state: CallState,
  ): Promise<{ readonly value: T } | { readonly failure: Failure; readonly error: AuthyError }> {
    let request = asked.request(state.request);
    for (;;) {
      if (request === undefined) throw new Error('A call needs a request.');
      const attempt = await this.attempt(asked, state, request);
      if ('value' in attempt) return attempt;
      state.isSent = false;
      const { failure, error } = attempt;
      if (failure !== 'noRoute') return { failure, error };
      state.request += 1;
      request = asked.request(state.request);
      if (request === undefined) throw error;
    }
  }

  /** One attempt: a value, or a failure that might be repeated. Throws an error that must not be repeated. */
  private async attempt<T>(
    asked: Call<T>,
    state: CallState,
    { method, path, body }: CallRequest,
  ): Promise<Judged<T>> {
    const limit = new AttemptLimit(state);
    let http: HttpAnswer;
    try {
      http = await this.transport.send({
        method,
        path: this.prefix + path,
        body,
        cancellation: limit.cancellation,
        onSent: () => {
          state.isSent = true;
        },
      });
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      return this.lostAttempt(state, new TransportError(error.kind, this.secrets.outOfText(error.reason)));
    } finally {
      limit.clear();
    }
    const contentType = this.secrets.outOfText(http.contentType);
    return asked.judge({ ...http, contentType }, state.mayHaveHappened);
  }

  /** Says what a missing answer means for the call. */
  private lostAttempt(state: CallState, error: TransportError): FailedAttempt {
    if (state.cancellation.happened) throw this.endedError(state);
    if (error.kind === 'tls' && !state.isSent) {
      throw new AuthyError(
        'AUTHY_TLS',
        `Check the certificate of ${this.host}, or set a TLS configuration in the account: there is no secure connection ` +
          `(${reasonOf(error.reason)}). Nothing was sent.`,
      );
    }
    if (error.kind === 'tooLarge') throw untrustedAnswer('it is larger than 1 MiB', this.name);
    if (error.kind === 'compressed')
      throw untrustedAnswer('it is compressed, although that was not requested', this.name);
    // Asking again with the same password could lock its owner out.
    if (error.reason === 'PROXY_HTTP_407') {
      throw new AuthyError(
        'AUTHY_NETWORK',
        'Set a user name and password in the http proxy node: the proxy asks for them. Nothing was sent.',
      );
    }
    if (!state.isSent) {
      return {
        failure: 'notSent',
        error: new AuthyError(
          'AUTHY_NETWORK',
          `Check the network, the proxy and the base URL of the account: ${this.host} could not be reached ` +
            `(${reasonText(error)}). Nothing was sent.`,
        ),
      };
    }
    const cause = error.kind === 'aborted' ? lateAnswer : `the connection broke: ${reasonOf(error.reason)}`;
    return { failure: 'noAnswer', error: this.noAnswerError(state.repeat, cause) };
  }

  /** The error of a call that this side ended: by its deadline, or because the node closes. */
  private endedError(state: CallState): AuthyError {
    const isCancelled = state.ending === 'cancelled';
    const isOpen = state.isSent || state.mayHaveHappened;
    if (isOpen && (hasEffect(state.repeat) || !isCancelled)) {
      return this.noAnswerError(
        state.repeat,
        isCancelled ? 'the node was closed before the answer came' : lateAnswer,
      );
    }
    return isCancelled
      ? new AuthyError(
          'AUTHY_CANCELLED',
          'Send the message again: its node was closed before the request was sent or answered. Nothing was changed.',
        )
      : new AuthyError(
          'AUTHY_TIMEOUT',
          'Check the network, or give the account a longer deadline: the time ran out before the request could be sent.',
        );
  }
}

/**
 * Limits one attempt to its share of the call's time, so that a hanging server leaves some for another try: the whole
 * attempt if it may be repeated, otherwise only the part before anything is sent.
 */
class AttemptLimit {
  readonly cancellation = new Cancellation();
  private readonly timer: NodeJS.Timeout;
  private readonly abort = (): void => this.cancellation.cancel();

  constructor(private readonly state: CallState) {
    state.cancellation.onCancel(this.abort);
    this.timer = setTimeout(
      () => {
        if (!state.isSent || state.attempts.afterNoAnswer > 0) this.abort();
      },
      (state.endsAt - performance.now()) / 2,
    );
  }

  clear(): void {
    clearTimeout(this.timer);
    this.state.cancellation.off(this.abort);
  }
}

function reasonText(error: TransportError): string {
  return error.kind === 'aborted' ? 'no connection in time' : reasonOf(error.reason);
}

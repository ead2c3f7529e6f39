import { X509Certificate } from 'node:crypto';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import axios from 'axios';
import type { Backend } from './backend';
import { type CallbackCourse, courseOf } from './faults';
import { type CallbackMethod, type CallbackTarget, callbackUrlProblem } from './settings';
import type { CallbackFailure, CallbackReport } from './state/callback-report';
import type { Question } from './state/questions';

/** How long a delivery may take, in milliseconds. */
const deadline = 10_000;

/** One copy of a callback, as it is sent. */
export interface Outgoing {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent with a GET. */
  readonly data?: string;
}

/** A callback, before anything of it is sent. */
export interface Callback {
  /** Where it goes; undefined: nowhere. */
  readonly target: CallbackTarget | undefined;
  readonly method: CallbackMethod;
  /**
   * Says what its copies have in common.
   *
   * @returns writes one copy, signed for the moment in which it is sent
   */
  readonly prepare: (course: Pick<CallbackCourse, 'isForged' | 'contradicts'>) => (url: string) => Outgoing;
}

/**
 * Reports the answer to a question as the faults say, and records the result; never throws. A late callback is not waited
 * for, and not sent once the question is forgotten.
 *
 * @param what - the callback's name in the log
 * @param isKnown - whether the question is still remembered
 */
export async function reportAnswer(
  backend: Backend,
  question: Question,
  callback: Callback,
  what: string,
  isKnown: () => boolean,
): Promise<void> {
  const { target, method } = callback;
  // Without an address there is no callback that a fault could apply to.
  const course = courseOf(target === undefined ? [] : backend.faults.takeForCallback());
  const stop = backend.stop();
  question.callback = { url: target?.url ?? null, method };
  const report = async (): Promise<void> => {
    if (course.delay !== undefined) {
      await sleep(course.delay, undefined, { signal: stop, ref: false }).catch(() => undefined);
      // A question that was forgotten meanwhile has no report.
      if (!isKnown()) return;
    }
    question.callback = await deliver(callback, course, stop);
    // An account without callbacks has none that could fail.
    if (target !== undefined) backend.log(`callback of ${what} ${outcomeOf(question.callback)}`);
  };
  const reported = report();
  if (course.delay === undefined) await reported;
}

/** What became of a callback, for the log. */
export function outcomeOf({ url, status, failure, error }: CallbackReport): string {
  return `to ${url ?? 'nowhere'}: ${status ?? error ?? ''}${explanationOf(status, failure)}`;
}

function explanationOf(status: number | undefined, failure: CallbackFailure | undefined): string {
  if (status === 401) return ', it asks for a password (in Node-RED: httpNodeAuth)';
  const isUnheard = status === 404 || failure === 'closed';
  return isUnheard ? ', nothing listens there; the approval gate does not need it' : '';
}

/**
 * Sends a callback, or with the faults of its course, and reports the result; never throws. The caller handles a delay. If
 * one of several copies gets no answer, no further ones are sent.
 *
 * @param stop - ends a running delivery
 */
export async function deliver(
  { target, method, prepare }: Callback,
  course: CallbackCourse,
  stop: AbortSignal,
): Promise<CallbackReport> {
  if (target === undefined) return { url: null, method, failure: 'missing', error: 'no callback URL set' };
  const report = { url: target.url, method };
  const problem = callbackUrlProblem(target.url);
  if (problem !== undefined) return { ...report, failure: 'address', error: problem };
  if (course.isLost) return { ...report, failure: 'lost', error: 'the simulator was told to lose it' };
  const write = prepare(course);
  try {
    let status = await send(write(target.url), method, target, stop);
    for (let sent = 1; sent < course.copies; sent++) {
      status = await send(write(target.url), method, target, stop);
    }
    return { ...report, status };
  } catch (error) {
    return { ...report, ...failureOf(error, stop) };
  }
}

async function send(
  { url, headers, data }: Outgoing,
  method: CallbackMethod,
  { certificates }: CallbackTarget,
  stop: AbortSignal,
): Promise<number> {
  const response = await axios.request<NodeJS.ReadableStream & { destroy(): void }>({
    method,
    url,
    data,
    headers,
    // The address may be anything: it is called directly, once, and its answer is not read.
    proxy: false,
    ...(certificates === undefined ? {} : { httpsAgent: onlyFor(certificates) }),
    maxRedirects: 0,
    responseType: 'stream',
    validateStatus: () => true,
    signal: AbortSignal.any([stop, AbortSignal.timeout(deadline)]),
  });
  response.data.destroy();
  return response.status;
}

/** Connects to a server with one of these certificates, whoever has signed it and whatever names it has, and to no other. */
function onlyFor(certificates: readonly (string | Buffer)[]): https.Agent {
  const known = certificates.map((certificate) => new X509Certificate(certificate).fingerprint256);
  return new https.Agent({
    ca: [...certificates],
    // A certificate that an authority has signed is trusted as well, without the authority's own.
    allowPartialTrustChain: true,
    checkServerIdentity: (_name, { fingerprint256 }) =>
      known.includes(fingerprint256) ? undefined : new Error('the certificate is not the one of this server'),
  });
}

function failureOf(error: unknown, stop: AbortSignal): Pick<CallbackReport, 'failure' | 'error'> {
  if (stop.aborted) return { failure: 'stopped', error: 'the simulator was stopped' };
  if (axios.isCancel(error)) return { failure: 'timeout', error: `no answer within ${deadline / 1000} s` };
  const { code, message } = error as Partial<NodeJS.ErrnoException>;
  // Some errors have no message, and some no code.
  return {
    failure: code === 'ECONNREFUSED' ? 'closed' : 'connection',
    error: message || code || 'unknown error',
  };
}

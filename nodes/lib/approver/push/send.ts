import { createHash } from 'node:crypto';
import { once } from 'node:events';
import https from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import type { PushSubscription } from '../../contract/people';
import { encrypted } from './encryption';
import {
  answeredBy,
  checkedAddresses,
  type HostAddress,
  isPublicAddress,
  type Lookup,
  readEndpoint,
  systemLookup,
} from './endpoint';
import { newSubscription, PushRefused } from './refused';
import type { Vapid } from './vapid';

export interface PushMessage {
  /** What the page's service worker gets, as JSON. */
  readonly payload: object;
  /** How long the push service keeps it for a phone that is switched off, in seconds. */
  readonly ttl: number;
  /** What it is about, such as the id of a request: it replaces a message about the same that was not received yet. */
  readonly topic?: string | undefined;
  /** How much of the phone's battery it is worth; by default `high`: somebody waits. Source: RFC 8030, section 5.3. */
  readonly urgency?: 'very-low' | 'low' | 'normal' | 'high' | undefined;
}

export type PushResult =
  /** The push service has taken it. Whether and when the phone shows it is not known. */
  | { readonly outcome: 'delivered' }
  /** The subscription has ended: forget it. */
  | { readonly outcome: 'gone'; readonly reason: string }
  | {
      readonly outcome: 'failed';
      /** A sentence for the log, which begins with the remedy. It shows the push service's host, and no more of the endpoint. */
      readonly reason: string;
      /** After how many seconds another try makes sense; undefined if none does. */
      readonly retryAfter?: number;
    };

/** How push services are reached. Tests give another one, with a push service of their own on this machine. */
export interface Reach {
  readonly lookup: Lookup;
  /** Whether an address may be connected to. */
  readonly allows: (address: string) => boolean;
  readonly port: number;
  /** The authorities that are trusted; by default those of Node.js. */
  readonly ca?: SecureContextOptions['ca'];
  /** For everything together, in milliseconds. */
  readonly deadline: number;
}

export interface PushSender {
  readonly vapid: Vapid;
  /** Whom the operator of a push service can turn to: `mailto:…` or `https://…`. */
  readonly subject: string;
  readonly reach?: Reach;
}

/** The only one outside of tests: no setting and no variable changes it. */
const publicInternet: Reach = {
  lookup: systemLookup,
  allows: isPublicAddress,
  port: 443,
  deadline: 10_000,
};

/** What is read of an answer, in bytes: its status says nearly everything. */
const longestAnswer = 4096;
const longestHeaders = 8192;

/** After a failure that may pass, where the push service does not say how long to wait. In seconds. */
const pause = 5;
const longestPause = 24 * 60 * 60;

/** A topic has at most 32 characters of base64url. Source: RFC 8030, section 5.4. */
const topicBytes = 24;

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** What was read of its body. */
  readonly text: string;
}

/**
 * Sends one message to one browser (Web Push: RFC 8030, 8291, 8292), once.
 *
 * The endpoint is a capability: who knows its path can reach the browser. So only its host is ever shown.
 *
 * It is done by node:https. There is one request to one host now and then, so connections are not kept; and the socket takes
 * the addresses that were checked. Nothing follows redirects. The request is written when the certificate has shown that the
 * other end is whom the endpoint names.
 *
 * @returns what came of it; it never rejects because of the other end
 */
export async function sendPush(
  { endpoint, ...keys }: PushSubscription,
  { payload, ttl, topic, urgency = 'high' }: PushMessage,
  { vapid, subject, reach = publicInternet }: PushSender,
): Promise<PushResult> {
  try {
    const url = readEndpoint(endpoint);
    const body = encrypted(keys, Buffer.from(JSON.stringify(payload)));
    const headers = {
      Host: url.host,
      Authorization: vapid.authorization(url.origin, subject),
      'Content-Encoding': 'aes128gcm',
      'Content-Type': 'application/octet-stream',
      'Content-Length': body.length,
      TTL: Math.max(0, Math.floor(ttl)),
      Urgency: urgency,
      ...(topic === undefined ? {} : { Topic: shortened(topic) }),
    };
    return resultOf(await answerTo(url, headers, body, reach), url.hostname);
  } catch (error) {
    if (error instanceof PushRefused) return { outcome: 'failed', reason: error.message };
    throw error;
  }
}

/** A hash: the push service learns which messages replace each other, and not what they are about. */
function shortened(topic: string): string {
  return createHash('sha256').update(topic).digest().subarray(0, topicBytes).toString('base64url');
}

/** @returns the answer, or why there is none: a code of the system, OpenSSL or Node.js. @throws PushRefused */
async function answerTo(
  url: URL,
  headers: Readonly<Record<string, string | number>>,
  body: Buffer,
  { lookup, allows, deadline, ...trust }: Reach,
): Promise<Answer | string> {
  const signal = AbortSignal.timeout(deadline);
  try {
    const late = once(signal, 'abort').then(() => Promise.reject(new Error('late')));
    const addresses = await Promise.race([checkedAddresses(url.hostname, lookup, allows), late]);
    return await post(url, headers, body, { addresses, signal, ...trust });
  } catch (error) {
    if (error instanceof PushRefused) throw error;
    if (signal.aborted) return 'ETIMEDOUT';
    const { code = 'UNKNOWN' } = error as NodeJS.ErrnoException;
    return code;
  }
}

interface Connecting extends Pick<Reach, 'port' | 'ca'> {
  readonly addresses: readonly HostAddress[];
  readonly signal: AbortSignal;
}

function post(
  url: URL,
  headers: Readonly<Record<string, string | number>>,
  body: Buffer,
  { addresses, port, ca, signal }: Connecting,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = https.request({
      ...{ method: 'POST', host: url.hostname, port, path: url.pathname + url.search, headers, signal },
      lookup: answeredBy(addresses),
      servername: url.hostname,
      // Otherwise NODE_TLS_REJECT_UNAUTHORIZED would decide.
      rejectUnauthorized: true,
      ca,
      // A connection of its own, through no proxy of the process: it would look the host up again.
      agent: false,
      maxHeaderSize: longestHeaders,
    });
    // This listener stays, and so does the one below: an error without a listener would end Node-RED.
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk.subarray(0, Math.max(0, longestAnswer - length)));
        length += chunk.length;
        if (length >= longestAnswer) request.destroy();
      });
      const finish = (): void =>
        resolve({
          status: response.statusCode ?? 0,
          retryAfter: response.headers['retry-after'],
          text: Buffer.concat(chunks).toString(),
        });
      // However the body ends, the status counts.
      response.on('error', finish);
      response.on('close', finish);
      request.off('error', reject).on('error', finish);
    });
    request.end(body);
  });
}

function resultOf(answer: Answer | string, host: string): PushResult {
  if (typeof answer === 'string') {
    const reason = `Check the network, the clock and the firewall: ${host} could not be reached (${answer}).`;
    return { outcome: 'failed', reason, retryAfter: pause };
  }
  const { status } = answer;
  if (status >= 200 && status < 300) return { outcome: 'delivered' };
  const detail = detailOf(answer.text);
  const said = `(HTTP ${status}${detail === undefined ? '' : `, ${detail}`})`;
  if (status === 404 || status === 410) {
    return { outcome: 'gone', reason: `${newSubscription}: ${host} no longer knows it ${said}.` };
  }
  if (status === 408 || status === 429 || status >= 500) {
    return {
      outcome: 'failed',
      reason: `Try again later: ${host} does not take messages now ${said}.`,
      retryAfter: secondsOf(answer.retryAfter) ?? pause,
    };
  }
  if (status === 401 || status === 403) {
    return {
      outcome: 'failed',
      reason:
        `Check the clock and the public URL; if they are right: ${newSubscription.toLowerCase()}. ` +
        `${host} does not accept who sends ${said}.`,
    };
  }
  const what = status < 400 ? 'sends us elsewhere, where we do not go' : 'refused the message';
  return { outcome: 'failed', reason: `${newSubscription}: ${host} ${what} ${said}.` };
}

/**
 * The name or number that the push services of Apple (`reason`) and Mozilla (`errno`) give an error. Whatever else an answer
 * says stays out of the log.
 */
function detailOf(text: string): string | undefined {
  return /"(?:reason|errno)"\s*:\s*"?([A-Za-z]{1,40}|\d{1,4})\b/.exec(text)?.[1];
}

/** Reads a Retry-After header: seconds or an HTTP date (RFC 9110, section 10.2.3). */
function secondsOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : Math.ceil((Date.parse(header) - Date.now()) / 1000);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), longestPause) : undefined;
}

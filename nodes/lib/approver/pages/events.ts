import type { ServerResponse } from 'node:http';
import type { MountedRequest } from '../../contract/request-handler';
import { pathAndQuery } from '../../server/router';
import type { Approver } from '../approver';
import type { SignedIn } from '../asking';
import type { Flood } from '../floods';
import { onChange } from '../live';
import { Refused } from '../refused';
import { openRequests } from '../requests';
import { sessionsOf } from '../sessions';
import { isFromPage } from './guard';
import { sendRefusal } from './refusal';
import { senderOf } from './sender';

/** How long a stream is open before the browser opens a new one: proxies cut those that are old. In milliseconds. */
const longest = 55_000;
/** Where other Node-REDs may change a person, how often that is looked up. In milliseconds. */
const lookEvery = 3_000;
/** Of one person. */
const mostStreams = 6;
/** What a page is told. */
export const changed = 'event: changed\ndata:\n\n';

/** How long a probe's stream is open: long enough to see whether anything keeps it back. In milliseconds. */
const longestProbe = 10_000;

/** The open streams, by account and person; the oldest first. */
const streams = new Map<string, Set<() => void>>();

/** Tells a page when what it shows has changed, by server-sent events: `event: changed`. */
export function answerEvents(approver: Approver, request: MountedRequest, response: ServerResponse): void {
  const { query } = pathAndQuery(request.url ?? '');
  const nonce = new URLSearchParams(query).get('probe');
  if (approver.probes.find(nonce, approver.host.steady()) !== undefined) {
    beginStream(response);
    const ending = setTimeout(() => response.end(), longestProbe).unref();
    response.on('close', () => clearTimeout(ending));
    return;
  }
  if (!isFromPage(request, approver.page)) {
    sendRefusal(response, new Refused('foreign'));
    return;
  }
  welcomed(approver, request).then(
    (signedIn) => {
      if (!response.destroyed && !response.headersSent) stream(approver, signedIn, response);
    },
    (error: unknown) => sendRefusal(response, error instanceof Refused ? error : new Refused('unavailable')),
  );
}

/** Whoever may open a stream. It is one more call, as those of the API are. @throws Refused */
async function welcomed({ host, floods, signingIn }: Approver, request: MountedRequest): Promise<SignedIn> {
  const now = host.steady();
  const count = (flood: Flood, who: string): void => {
    const wait = flood.count(who, now);
    if (wait > 0) throw new Refused('tooMany', wait);
  };
  const signedIn = await signingIn.signedIn(sessionsOf(request.headers.cookie)).catch((error: unknown) => {
    count(floods.strangers, senderOf(request));
    throw error;
  });
  count(floods.owners, signedIn.phone.id);
  return signedIn;
}

function stream(approver: Approver, signedIn: SignedIn, response: ServerResponse): void {
  const { host, signingIn } = approver;
  beginStream(response);
  const { authyId } = signedIn.person;
  const key = JSON.stringify([host.accountId, authyId]);
  const write = (text: string): void => {
    // What was looked up meanwhile may come after the end.
    if (!response.writableEnded) response.write(text);
  };
  // The last event is for a page that is signed out from now on.
  const tell = (): void => {
    write(changed);
    signingIn.signedIn([signedIn.session]).catch(end);
  };
  const end = (): void => {
    stopListening();
    clearTimeout(ending);
    clearInterval(looking);
    const all = streams.get(key);
    all?.delete(end);
    if (all?.size === 0) streams.delete(key);
    response.end();
  };
  const stopListening = onChange(host.accountId, authyId, tell);
  const ending = setTimeout(end, longest).unref();
  const looking = host.isShared ? lookOften(approver, signedIn, tell) : undefined;
  const all = streams.get(key) ?? new Set();
  streams.set(key, all.add(end));
  if (all.size > mostStreams) for (const oldest of [...all].slice(0, all.size - mostStreams)) oldest();
  response.on('close', end);
}

function beginStream(response: ServerResponse): void {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    // Nginx would keep the events back.
    'X-Accel-Buffering': 'no',
    'X-Content-Type-Options': 'nosniff',
  });
  // At once: a page that gets no first event is behind a proxy that keeps them back.
  response.write(`retry: 1000\n\n${changed}`);
}

/** Looks up whether another Node-RED has changed the person. */
function lookOften(approver: Approver, { person, session }: SignedIn, tell: () => void): NodeJS.Timeout {
  const { host } = approver;
  const seenOf = (one: typeof person): string =>
    JSON.stringify([openRequests(one, host).map(({ id }) => id), one.phones?.length, one.locked]);
  let seen = seenOf(person);
  const look = async (): Promise<void> => {
    const now = await approver.signingIn.signedIn([session]).then(
      (signedIn) => seenOf(signedIn.person),
      () => 'ended',
    );
    if (now !== seen) tell();
    seen = now;
  };
  return setInterval(() => void look(), lookEvery).unref();
}

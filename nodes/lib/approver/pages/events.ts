import type { ServerResponse } from 'node:http';
import type { MountedRequest } from '../../contract/request-handler';
import { sendJson } from '../../server/send';
import type { Approver } from '../approver';
import type { SignedIn } from '../asking';
import { onChange } from '../live';
import { Refused } from '../refused';
import { openRequests } from '../requests';
import { sessionOf } from '../sessions';
import { isFromPage } from './guard';

/** How long a stream is open before the browser opens a new one: proxies cut those that are old. In milliseconds. */
const longest = 55_000;
/** Where other Node-REDs may change a person, how often that is looked up. In milliseconds. */
const lookEvery = 3_000;
/** Of one person. */
const mostStreams = 6;

/** The open streams, by account and person; the oldest first. */
const streams = new Map<string, Set<() => void>>();

/** Tells a page when what it shows has changed, by server-sent events: `event: changed`. */
export function answerEvents(approver: Approver, request: MountedRequest, response: ServerResponse): void {
  const { host } = approver;
  const refuse = (error: unknown): void => {
    const problem = error instanceof Refused ? error.problem : 'unavailable';
    sendJson(response, problem === 'unavailable' ? 503 : problem === 'signedOut' ? 401 : 403, {
      error: problem,
    });
  };
  if (!isFromPage(request, approver.page)) {
    refuse(new Refused('foreign'));
    return;
  }
  approver.signingIn.signedIn(sessionOf(request.headers.cookie)).then((signedIn) => {
    if (response.destroyed) return;
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      // Nginx would keep the events back.
      'X-Accel-Buffering': 'no',
      'X-Content-Type-Options': 'nosniff',
    });
    const { authyId } = signedIn.person;
    const tell = (): void => void response.write('event: changed\ndata:\n\n');
    const key = JSON.stringify([host.accountId, authyId]);
    // At once: a page that gets no first event is behind a proxy that keeps them back.
    response.write('retry: 1000\n\n');
    tell();
    const stopListening = onChange(host.accountId, authyId, tell);
    const ending = setTimeout(() => end(), longest).unref();
    const looking = host.isShared ? lookOften(approver, signedIn, tell) : undefined;
    const end = (): void => {
      stopListening();
      clearTimeout(ending);
      clearInterval(looking);
      const all = streams.get(key);
      all?.delete(end);
      if (all?.size === 0) streams.delete(key);
      response.end();
    };
    const all = streams.get(key) ?? new Set();
    streams.set(key, all.add(end));
    if (all.size > mostStreams) for (const oldest of [...all].slice(0, all.size - mostStreams)) oldest();
    response.on('close', end);
  }, refuse);
}

/** Looks up whether another Node-RED has changed the person. */
function lookOften(approver: Approver, { person, session }: SignedIn, tell: () => void): NodeJS.Timeout {
  const { host } = approver;
  const seenOf = (one: typeof person): string =>
    JSON.stringify([openRequests(one, host).map(({ id }) => id), one.phones?.length, one.locked]);
  let seen = seenOf(person);
  const look = async (): Promise<void> => {
    const now = await approver.signingIn.signedIn(session).then(
      (signedIn) => seenOf(signedIn.person),
      () => 'ended',
    );
    if (now !== seen) tell();
    seen = now;
  };
  return setInterval(() => void look(), lookEvery).unref();
}

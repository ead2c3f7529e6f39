import type { ApproverProblem } from '../contract/approver';
import { AuthyError } from '../contract/errors';
import { member, parsedJson } from '../contract/json';
import type { Grade } from '../contract/people';
import { canPush, type PageAddress } from './address';
import type { Approver } from './approver';
import { changed } from './pages/events';
import { isAtPage } from './pages/guard';
import type { Arrival, Probe } from './pages/probes';
import { type ProbeReply, sendProbe } from './probe-request';
import { isUrl } from '../contract/url';

/** Why nothing was reached, or what is wrong with the certificate. */
type Unreached =
  | {
      readonly code: 'notReached';
      /** `broken`: a connection that was made, and came to nothing. */
      readonly why: 'dns' | 'refused' | 'timeout' | 'noRoute' | 'broken';
      readonly detail: string;
    }
  | {
      readonly code: 'certificate';
      readonly why: 'expired' | 'notYetValid' | 'name' | 'authority' | 'other';
      readonly detail: string;
    };

/** What is wrong with the address of a page, or what it does not allow. */
export type PageProblem =
  | Unreached
  /** The account has no such page, or has no address. */
  | { readonly code: 'notDeployed' | 'notUsed' | 'noPage' | 'noAddress' | 'noHttpNodes' }
  /** Something else is at its path, which is the one of Node-RED. */
  | { readonly code: 'pathTaken'; readonly why: 'editor'; readonly path: string }
  | { readonly code: 'pathTaken'; readonly why: 'account'; readonly path: string; readonly account: string }
  /** It was reached under another name than phones use: the page would refuse them. */
  | { readonly code: 'wrongHost'; readonly saw: string; readonly expected: string }
  | { readonly code: 'wrongOrigin'; readonly saw: string; readonly expected: string }
  /** Something asks for a password. */
  | { readonly code: 'auth' }
  /** Node-RED was asked for another path. @param ownPath - where the page is in Node-RED */
  | { readonly code: 'notFound'; readonly why: 'nodeRed'; readonly saw: string; readonly ownPath: string }
  | { readonly code: 'notFound'; readonly why: 'other'; readonly path: string; readonly ownPath: string }
  /** @param to - where it leads, without a query */
  | { readonly code: 'redirected'; readonly to: string }
  /** The proxy does not reach Node-RED. */
  | { readonly code: 'badGateway'; readonly status: number }
  /** The page of another account or of another Node-RED. */
  | { readonly code: 'otherPage' }
  /** Something that is no such page. */
  | { readonly code: 'otherSite'; readonly status: number }
  /** Something keeps events back, or does not let them through. */
  | { readonly code: 'buffered' }
  /** The address works, and allows less than another one. */
  | { readonly code: (typeof notes)[number] };

const notes = ['plainHttp', 'ipAddress', 'localOnly', 'pushOff'] as const;

/** What works at the address of a page. */
export interface PageCheck {
  /** Whether it works, as far as such an address can. */
  readonly ok: boolean;
  /** Null if the page has no address. */
  readonly grade: Grade | null;
  readonly url: string | null;
  readonly works: { readonly passkey: boolean; readonly push: boolean; readonly live: boolean };
  readonly problems: readonly PageProblem[];
}

/** What is known of this Node-RED. */
export interface OwnServer {
  /** The path of the page in Node-RED, with that of its http nodes. */
  readonly ownPath: string;
  /** Those that it shows by itself. */
  readonly certificates: readonly (string | Buffer)[] | undefined;
}

const nothing = { passkey: false, push: false, live: false } as const;

/** The answer where nothing can be tried. */
export function uncheckedPage(problem: PageProblem, page?: PageAddress): PageCheck {
  return {
    ok: false,
    grade: page?.grade ?? null,
    url: page?.url ?? null,
    works: nothing,
    problems: [problem],
  };
}

/**
 * Calls the page at the address that phones use, and finds out whether that leads to this very account, and what stands in
 * between does. What a phone reaches may be something else: it may be in another network.
 */
export async function checkPage(approver: Approver, own: OwnServer): Promise<PageCheck> {
  let page: PageAddress;
  try {
    ({ page } = approver);
  } catch (error) {
    if (error instanceof AuthyError) return uncheckedPage({ code: 'noAddress' });
    throw error;
  }
  const probe = approver.probes.begin(approver.host.steady());
  try {
    const { problems, isReached, isLive } = await probed(page, probe, own);
    const isTrusted = !problems.some(({ code }) => code === 'certificate');
    const isSecure = page.isHttps || page.isLocalOnly;
    const all = [...problems, ...limitsOf(page, approver)];
    return {
      ok: all.every(({ code }) => notes.some((note) => note === code)),
      grade: page.grade,
      url: page.url,
      works: {
        passkey: isReached && isTrusted && page.grade === 'passkey',
        push: isReached && isTrusted && isSecure && canPush(approver.host.settings),
        live: isReached && isLive,
      },
      problems: all,
    };
  } finally {
    approver.probes.end(probe);
  }
}

/** What the address allows by itself. */
function limitsOf({ grade, isHttps, isLocalOnly }: PageAddress, { host }: Approver): PageProblem[] {
  const limits: PageProblem[] = [];
  if (grade === 'code') limits.push({ code: isHttps ? 'ipAddress' : 'plainHttp' });
  if (isLocalOnly) limits.push({ code: 'localOnly' });
  if (!host.settings.push) limits.push({ code: 'pushOff' });
  return limits;
}

interface Probed {
  readonly problems: readonly PageProblem[];
  /** Whether calls of a phone would be answered. */
  readonly isReached: boolean;
  /** Whether events come as they happen. */
  readonly isLive: boolean;
}

async function probed(page: PageAddress, probe: Probe, own: OwnServer): Promise<Probed> {
  const problems: PageProblem[] = [];
  let certificates: OwnServer['certificates'];
  let reply = await called(page, probe, certificates);
  const why = failureOf(reply);
  if (why?.code === 'certificate') {
    problems.push(why);
    // What else there is to say is said now. Only this Node-RED's own certificates are believed for it.
    ({ certificates } = own);
    if (certificates === undefined) return { problems, isReached: false, isLive: false };
    reply = await called(page, probe, certificates);
  }
  const { call } = probe;
  if (call === undefined) {
    const other = notHere(reply, page, own);
    if (other.code !== 'certificate') problems.push(other);
    return { problems, isReached: false, isLive: false };
  }
  const onTheWay = changedOnTheWay(call, page);
  problems.push(...onTheWay);
  const isAnswered = reply.status === 200 && member(parsedJson(reply.text), 'mine') === true;
  if (!isAnswered) problems.push(notHere(reply, page, own));
  const events = await asked(page, probe, certificates);
  const isLive = events.status === 200 && events.text.includes(changed);
  if (!isLive) problems.push({ code: 'buffered' });
  return { problems, isReached: isAnswered && onTheWay.length === 0, isLive };
}

function called(
  page: PageAddress,
  { nonce }: Probe,
  certificates: OwnServer['certificates'],
): Promise<ProbeReply> {
  return sendProbe({
    url: `${page.url}/api/probe`,
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json',
      Origin: page.origin,
      'Sec-Fetch-Site': 'same-origin',
    },
    body: JSON.stringify({ nonce }),
    certificates,
    until: '}',
  });
}

function asked(
  page: PageAddress,
  { nonce }: Probe,
  certificates: OwnServer['certificates'],
): Promise<ProbeReply> {
  return sendProbe({
    url: `${page.url}/api/events?probe=${nonce}`,
    method: 'GET',
    headers: {
      Accept: 'text/event-stream',
      // As browsers do: who compresses may keep back what is short.
      'Accept-Encoding': 'gzip',
      'Cache-Control': 'no-cache',
      'Sec-Fetch-Site': 'same-origin',
    },
    certificates,
    until: changed,
  });
}

/** What a proxy has changed so that the page would refuse the request. */
function changedOnTheWay({ headers }: Arrival, page: PageAddress): PageProblem[] {
  const problems: PageProblem[] = [];
  if (!isAtPage(headers.host, page)) {
    problems.push({ code: 'wrongHost', saw: headers.host ?? '', expected: page.host });
  }
  if (headers.origin !== page.origin) {
    problems.push({ code: 'wrongOrigin', saw: headers.origin ?? '', expected: page.origin });
  }
  return problems;
}

/** What another page answers to a probe that it does not know. */
const refusals: readonly ApproverProblem[] = ['signedOut', 'foreign', 'tooMany'];

/** What is at the address instead of the page. */
function notHere(reply: ProbeReply, page: PageAddress, { ownPath }: OwnServer): PageProblem {
  if (reply.status === undefined) return unreached(reply.failure);
  const { status, headers, text } = reply;
  if (refusals.some((error) => error === member(parsedJson(text), 'error'))) return { code: 'otherPage' };
  if (status >= 300 && status < 400) return { code: 'redirected', to: targetOf(headers.location, page) };
  if (status === 401 || status === 407) return { code: 'auth' };
  if (status === 404 || status === 405) {
    // As Express says it.
    const [, saw] = /Cannot POST (\/[^\s<]*)/.exec(text) ?? [];
    return saw === undefined
      ? { code: 'notFound', why: 'other', path: page.path, ownPath }
      : { code: 'notFound', why: 'nodeRed', saw, ownPath };
  }
  if (status >= 502 && status <= 504) return { code: 'badGateway', status };
  return { code: 'otherSite', status };
}

function targetOf(location: string | undefined, page: PageAddress): string {
  if (location === undefined || !isUrl(location, page.url)) return '';
  const { origin, pathname } = new URL(location, page.url);
  return `${origin}${pathname}`;
}

function failureOf(reply: ProbeReply): Unreached | undefined {
  return reply.status === undefined ? unreached(reply.failure) : undefined;
}

const connectionFailures: Readonly<Record<string, 'dns' | 'refused' | 'timeout' | 'noRoute'>> = {
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  ECONNREFUSED: 'refused',
  TIMEOUT: 'timeout',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'noRoute',
  ENETUNREACH: 'noRoute',
};

const certificateFailures: Readonly<
  Record<string, Extract<Unreached, { readonly code: 'certificate' }>['why']>
> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'notYetValid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'authority',
  UNABLE_TO_GET_ISSUER_CERT: 'authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'authority',
};

/** Source: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
function unreached(detail: string): Unreached {
  const why = certificateFailures[detail];
  if (why !== undefined) return { code: 'certificate', why, detail };
  if (/^(?:CERT_|CRL_|INVALID_|HOSTNAME_MISMATCH)/.test(detail)) {
    return { code: 'certificate', why: 'other', detail };
  }
  return { code: 'notReached', why: connectionFailures[detail] ?? 'broken', detail };
}

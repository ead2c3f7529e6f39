import type { IncomingMessage } from 'node:http';
import net from 'node:net';
import os from 'node:os';
import type { TLSSocket } from 'node:tls';
import { isPrivateName } from '../contract/private-host';
import type { RequestHandler } from '../contract/request-handler';
import { sendJson } from './send';

/** The names under which a server may be called. */
export interface NameRule {
  /** @param name - of the Host header, in lower case; an IPv6 address in brackets */
  readonly allows: (name: string, request: IncomingMessage) => boolean;
  /** What to do if one is not allowed, in a sentence. */
  readonly remedy: string;
}

/** Names of this machine, and of nothing else. */
export const ofThisMachine: NameRule = {
  allows: (name) => ['localhost', '127.0.0.1', '[::1]'].includes(name),
  remedy: 'Call the simulator at localhost, 127.0.0.1 or [::1]: it answers this machine only.',
};

/**
 * Names that no stranger can point at this machine. Any web page may point the name it was loaded under at this machine
 * (DNS rebinding), and then counts as one of its own pages. It cannot do so with an address, with a name that public DNS
 * does not have, or if the browser checks a certificate for the name. An encrypted connection shows that it does. Behind a
 * proxy, Sec-Fetch-Site shows it: no page can set that header, and over http browsers send it to loopback only.
 */
export const ofNoStranger: NameRule = {
  allows: (name, request) =>
    isAddress(name) ||
    isPrivateName(name) ||
    name === os.hostname().toLowerCase() ||
    (request.socket as Partial<TLSSocket>).encrypted === true ||
    ['same-origin', 'none'].includes(String(request.headers['sec-fetch-site'])),
  remedy:
    'Open Node-RED by its IP address, by localhost or by https, or set adminAuth in its settings: this could ' +
    "be a stranger's name for this machine.",
};

/**
 * The names of a rule, and some that its owner has listed: whoever may point those at another machine is trusted.
 *
 * @param listed - in lower case
 */
export function alsoNamed(rule: NameRule, listed: readonly string[], remedy: string): NameRule {
  return { allows: (name, request) => rule.allows(name, request) || listed.includes(name), remedy };
}

const foreignPage =
  'Send this request from a page of the editor or of the simulator: it came from another web page. A reverse proxy has ' +
  'to pass the Host header on.';

/**
 * Lets programs in, and the server's own pages; refuses requests that another web page makes the browser send. The Host
 * header shows under which name the browser asks, Origin and Sec-Fetch-Site show from where. JSON or a custom header
 * proves nothing: Node-RED's editor allows those to every page (`Access-Control-Allow-Origin: *`).
 *
 * @param names - under which the server may be called
 */
export function ownPagesOnly(names: NameRule): RequestHandler {
  return (request, response, next) => {
    const host = hostForm.exec(request.headers.host ?? '');
    if (host === null || !names.allows(nameOf(host), request)) {
      sendJson(response, 403, { error: names.remedy });
    } else if (isForeign(request, host)) {
      sendJson(response, 403, { error: foreignPage });
    } else {
      next();
    }
  };
}

/** Whether a request says that it carries JSON, which no form can. */
export function isJson(request: IncomingMessage): boolean {
  return /^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '');
}

/** A strict pattern: URL parsers would accept a backslash or an at sign, which a header must not have. */
const hostForm = /^(\[[0-9a-f:.]+\]|[\w-]+(?:\.[\w-]+)*)(?::(\d{1,5}))?$/i;
const originForm = /^(https?):\/\/(.+)$/i;

function nameOf([, name = '']: RegExpExecArray): string {
  return name.toLowerCase();
}

function isAddress(name: string): boolean {
  return net.isIPv4(name) || (name.startsWith('[') && net.isIPv6(name.slice(1, -1)));
}

function isForeign({ headers, method = '' }: IncomingMessage, host: RegExpExecArray): boolean {
  const site = headers['sec-fetch-site'];
  // The browser says so itself, even if a proxy has changed Host.
  if (site === 'same-origin') return false;
  if (headers.origin !== undefined) return !isOriginOf(host, headers.origin);
  // A page cannot see the answer to a reading request that it sends without an origin, such as for a picture.
  const onlyReads = ['GET', 'HEAD'].includes(method);
  return !onlyReads && site !== undefined && site !== 'none';
}

function isOriginOf(host: RegExpExecArray, origin: string): boolean {
  const [, scheme = '', authority = ''] = originForm.exec(origin) ?? [];
  const from = hostForm.exec(authority);
  if (from === null) return false;
  const portOf = ([, , port = scheme.toLowerCase() === 'https' ? '443' : '80']: RegExpExecArray): number =>
    Number(port);
  return nameOf(from) === nameOf(host) && portOf(from) === portOf(host);
}

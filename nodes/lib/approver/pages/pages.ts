import path from 'node:path';
import type { ServerResponse } from 'node:http';
import type { RequestHandler } from '../../contract/request-handler';
import { pathAndQuery } from '../../server/router';
import { page } from '../../server/page';
import { sendFile, sendJson, type StaticFile } from '../../server/send';
import { Languages } from '../../texts/languages';
import type { PageAddress } from '../address';
import type { Approver } from '../approver';
import { Refused } from '../refused';
import { answerCall, sendElsewhere } from './api';
import { answerEvents } from './events';
import { isAtPage } from './guard';
import { manifestOf } from './manifest';
import { sendRefusal } from './refusal';

/** Only the page's own files run or are fetched, and no other page shows it. */
const headers = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'publickey-credentials-get=(self), publickey-credentials-create=(self)',
};

const folder = path.join(__dirname, '..', 'page');
/** The page and its files are the same for all accounts. They are read with the first request for one. */
let files: RequestHandler | undefined;

/** Where the page is; undefined if it has no address: then the account says so, and Express must show nobody an error. */
function addressOf(approver: Approver): PageAddress | undefined {
  try {
    return approver.page;
  } catch {
    return undefined;
  }
}

/**
 * The page of an account, mounted where its settings say. What GET gets is the same for everybody and holds nothing: so links
 * that are previewed, scanned or forwarded do nothing.
 */
export function approverPages(approver: Approver): RequestHandler {
  let manifest: StaticFile | undefined;
  return (request, response, next) => {
    closeToOthers(response);
    const place = pathAndQuery(request.url ?? '').path;
    const [, call] = /^\/api\/([a-z-]+)$/.exec(place) ?? [];
    if (call !== undefined && request.method === 'POST') {
      answerCall(approver, call, request, response);
      return;
    }
    if (!['GET', 'HEAD'].includes(request.method ?? '')) {
      sendJson(response, 405, { error: 'invalid' }, { Allow: 'GET, HEAD' });
      return;
    }
    const address = addressOf(approver);
    if (address === undefined) {
      sendRefusal(response, new Refused('unavailable'));
      return;
    }
    if (place === '/api/events') {
      answerEvents(approver, request, response);
      return;
    }
    if (place.startsWith('/api/')) {
      sendJson(response, 405, { error: 'invalid' }, { Allow: 'POST' });
      return;
    }
    if (!isAtPage(request.headers.host, address)) {
      sendElsewhere(response, address.url);
      return;
    }
    if (place === '/manifest.webmanifest') {
      manifest ??= manifestOf(approver.host.settings.name);
      sendFile(request, response, manifest, headers);
      return;
    }
    // The router forgives a slash at the end.
    if (place !== '/' && place.endsWith('/')) {
      next();
      return;
    }
    files ??= page(folder, new Languages('authy-approver'), headers);
    files(request, response, next);
  };
}

/** Where the editor has the same address, Node-RED lets every page of the world read all answers; so may settings of it. */
function closeToOthers(response: ServerResponse): void {
  for (const name of response.getHeaderNames()) {
    if (name.startsWith('access-control-')) response.removeHeader(name);
  }
}

import type { ServerResponse } from 'node:http';
import type { RequestHandler } from '../../contract/request-handler';
import { pathAndQuery } from '../../server/router';
import { redirect, sendFile, sendJson } from '../../server/send';
import type { PageAddress } from '../address';
import type { Approver } from '../approver';
import { answerCall, sendElsewhere } from './api';
import { answerEvents } from './events';
import { manifestOf, PageFiles } from './files';
import { isAtPage } from './guard';

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

/** Read with the first request for a page. */
let files: PageFiles | undefined;

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
  return (request, response, next) => {
    closeToOthers(response);
    const { path } = pathAndQuery(request.url ?? '');
    const [, call] = /^\/api\/([a-z-]+)$/.exec(path) ?? [];
    if (call !== undefined && request.method === 'POST') {
      answerCall(approver, call, request, response);
      return;
    }
    if (!['GET', 'HEAD'].includes(request.method ?? '')) {
      sendJson(response, 405, { error: 'invalid' }, { Allow: 'GET, HEAD' });
      return;
    }
    const page = addressOf(approver);
    if (page === undefined) {
      sendJson(response, 503, { error: 'unavailable' });
      return;
    }
    if (path === '/api/events') {
      answerEvents(approver, request, response);
      return;
    }
    if (path.startsWith('/api/')) {
      sendJson(response, 405, { error: 'invalid' }, { Allow: 'POST' });
      return;
    }
    if (!isAtPage(request.headers.host, page)) {
      sendElsewhere(response, page.url);
      return;
    }
    files ??= new PageFiles();
    const whole = pathAndQuery(request.originalUrl ?? '/').path;
    if (path === '/' && !whole.endsWith('/')) {
      // The page's own addresses are relative to its folder.
      redirect(response, `${whole.split('/').at(-1) ?? ''}/`);
      return;
    }
    if (path === '/') {
      const { file, language } = files.page(request.headers['accept-language']);
      response.appendHeader('Vary', 'Accept-Language');
      sendFile(request, response, file, { ...headers, 'Content-Language': language });
      return;
    }
    const name = path.slice(1);
    const file = name === 'manifest.webmanifest' ? manifestOf(approver.host.settings.name) : files.file(name);
    if (file === undefined) next();
    else sendFile(request, response, file, headers);
  };
}

/** Where the editor has the same address, Node-RED lets every page of the world read all answers; so may settings of it. */
function closeToOthers(response: ServerResponse): void {
  for (const name of response.getHeaderNames()) {
    if (name.startsWith('access-control-')) response.removeHeader(name);
  }
}

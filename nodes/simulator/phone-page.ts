import fs from 'node:fs';
import path from 'node:path';
import type { RequestHandler } from '../lib/contract/request-handler';
import { pathAndQuery, type Route, routed, type RouteHandler } from '../lib/server/router';
import { fileOf, redirect, sendFile, type StaticFile } from '../lib/server/send';
import type { Language, Languages } from '../lib/texts/languages';

/** Only the page's own files run or are fetched; logos may come from anywhere. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' http: https: data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

const headers = { 'Content-Security-Policy': contentSecurityPolicy, 'Referrer-Policy': 'no-referrer' };

const folder = path.join(__dirname, 'phone');

/** By ending; of what lies beside the page nothing else is served. */
const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * The phone page in the language its browser asks for, and its files, without any data: the page fetches that from
 * the control interface, one level above it. May be mounted anywhere. The files are read here once, so no request can
 * name another one.
 */
export function phonePage(languages: Languages): RequestHandler {
  const template = fs.readFileSync(path.join(folder, 'index.html'), 'utf8');
  const pages = new Map(
    languages.all.map((language) => {
      const page = Buffer.from(pageIn(language, template));
      return [language, fileOf(page, 'text/html; charset=utf-8')];
    }),
  );
  const sendPage: RouteHandler = (request, response) => {
    const language = languages.ofBrowser(request.headers['accept-language']);
    response.appendHeader('Vary', 'Accept-Language');
    const its = { ...headers, 'Content-Language': language.tag };
    sendFile(request, response, pages.get(language) as StaticFile, its);
  };
  const serve = routed([
    { method: 'GET', path: '/', handle: sendPage },
    { method: 'GET', path: '/index.html', handle: sendPage },
    ...filesBesideThePage(),
  ]);

  return (request, response, next) => {
    const whole = pathAndQuery(request.originalUrl ?? '/').path;
    if (pathAndQuery(request.url ?? '').path === '/' && !whole.endsWith('/')) {
      // The page's own addresses are relative to its folder; so is this one, with any prefix in front.
      redirect(response, `${whole.split('/').at(-1) ?? ''}/`);
    } else {
      serve(request, response, next);
    }
  };
}

function filesBesideThePage(): Route<RouteHandler>[] {
  return fs.readdirSync(folder).flatMap((name) => {
    const type = types[path.extname(name)];
    if (type === undefined) return [];
    const file = fileOf(fs.readFileSync(path.join(folder, name)), type);
    const handle: RouteHandler = (request, response) => sendFile(request, response, file, headers);
    return [{ method: 'GET', path: `/${name}`, handle }];
  });
}

/**
 * The page in a language.
 *
 * @param template - in which `{{key}}` is a text of the page, `{{language}}` its language, and `{{texts}}` all its texts
 *   as JSON
 */
function pageIn(language: Language, template: string): string {
  const facts: Readonly<Record<string, string>> = {
    language: language.tag,
    texts: JSON.stringify(language.page),
  };
  return template.replace(/\{\{([\w.]+)\}\}/g, (_placeholder, key: string) =>
    escaped(facts[key] ?? language.text(`page.${key}`)),
  );
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

import fs from 'node:fs';
import type { OutgoingHttpHeaders } from 'node:http';
import path from 'node:path';
import type { RequestHandler } from '../contract/request-handler';
import type { Languages } from '../texts/languages';
import { pageIn } from '../texts/page';
import { pathAndQuery, type Route, routed, type RouteHandler } from './router';
import { fileOf, redirect, sendFile, type StaticFile } from './send';

/** By ending; of what lies beside a page nothing else is served. */
const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/**
 * A page in the language its browser asks for, and its files, without any data. May be mounted anywhere. The files are read here
 * once, so no request can name another one.
 *
 * @param folder - holds `index.html`, a template of {@link pageIn}, and the files
 * @param headers - of each answer
 * @param places - where the page is
 */
export function page(
  folder: string,
  languages: Languages,
  headers: OutgoingHttpHeaders,
  places: readonly string[] = ['/'],
): RequestHandler {
  const template = fs.readFileSync(path.join(folder, 'index.html'), 'utf8');
  const pages = new Map(
    languages.all.map((language) => {
      const content = Buffer.from(pageIn(language, template));
      return [language, fileOf(content, 'text/html; charset=utf-8')];
    }),
  );
  const sendPage: RouteHandler = (request, response) => {
    const language = languages.ofBrowser(request.headers['accept-language']);
    response.appendHeader('Vary', 'Accept-Language');
    const its = { ...headers, 'Content-Language': language.tag };
    sendFile(request, response, pages.get(language) as StaticFile, its);
  };
  const serve = routed([
    ...places.map((place): Route<RouteHandler> => ({ method: 'GET', path: place, handle: sendPage })),
    ...filesIn(folder, headers),
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

function filesIn(folder: string, headers: OutgoingHttpHeaders): Route<RouteHandler>[] {
  return fs.readdirSync(folder).flatMap((name) => {
    const type = types[path.extname(name)];
    if (type === undefined) return [];
    const file = fileOf(fs.readFileSync(path.join(folder, name)), type);
    const handle: RouteHandler = (request, response) => sendFile(request, response, file, headers);
    return [{ method: 'GET', path: `/${name}`, handle }];
  });
}

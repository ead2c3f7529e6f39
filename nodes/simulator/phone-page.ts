import fs from 'node:fs';
import path from 'node:path';
import express, { type RequestHandler } from 'express';
import type { Language, Languages } from './languages';

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

const folder = path.join(__dirname, 'phone');

/**
 * The phone page in the language its browser asks for, and its files, without any data: the page fetches that from
 * the control interface, one level above it. May be mounted anywhere, in any version of Express.
 */
export function phonePage(languages: Languages): RequestHandler {
  const template = fs.readFileSync(path.join(folder, 'index.html'), 'utf8');
  const pages = new Map(languages.all.map((language) => [language, pageIn(language, template)]));
  const files = express.static(folder, { redirect: false, cacheControl: false, fallthrough: true });

  return (request, response, next) => {
    const [pathname = ''] = request.originalUrl.split('?');
    const mountedPath = request.url.split('?')[0] ?? '';
    if (mountedPath === '/' && !pathname.endsWith('/')) {
      // The page's own addresses are relative to its folder; so is this one, with any prefix in front.
      response.statusCode = 302;
      response.setHeader('Location', `${pathname.split('/').at(-1) ?? ''}/`);
      response.end();
      return;
    }
    response.setHeader('Content-Security-Policy', contentSecurityPolicy);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Referrer-Policy', 'no-referrer');
    response.setHeader('Cache-Control', 'no-cache');
    if (['/', '/index.html'].includes(mountedPath) && ['GET', 'HEAD'].includes(request.method)) {
      const language = languages.ofBrowser(request.headers['accept-language']);
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.setHeader('Content-Language', language.tag);
      response.appendHeader('Vary', 'Accept-Language');
      response.end(pages.get(language));
      return;
    }
    void files(request, response, next);
  };
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

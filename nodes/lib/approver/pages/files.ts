import fs from 'node:fs';
import path from 'node:path';
import { fileOf, type StaticFile } from '../../server/send';
import { type Language, Languages } from '../../texts/languages';

const folder = path.join(__dirname, '..', 'page');

/** By ending; of what lies beside the page nothing else is served. */
const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/** The page without any data, and its files. They are read once, with the first request: so no request can name another file. */
export class PageFiles {
  private readonly languages = new Languages('authy-approver');
  private readonly pages: ReadonlyMap<Language, StaticFile>;
  private readonly files: ReadonlyMap<string, StaticFile>;

  constructor() {
    const template = fs.readFileSync(path.join(folder, 'index.html'), 'utf8');
    this.pages = new Map(
      this.languages.all.map((language) => {
        const content = Buffer.from(pageIn(language, template));
        return [language, fileOf(content, 'text/html; charset=utf-8')];
      }),
    );
    this.files = new Map(
      fs.readdirSync(folder).flatMap((name) => {
        const type = types[path.extname(name)];
        return type === undefined ? [] : [[name, fileOf(fs.readFileSync(path.join(folder, name)), type)]];
      }),
    );
  }

  /** The page in the language that a browser asks for. @param accepted - `Accept-Language` */
  page(accepted: string | undefined): { file: StaticFile; language: string } {
    const language = this.languages.ofBrowser(accepted);
    return { file: this.pages.get(language) as StaticFile, language: language.tag };
  }

  file(name: string): StaticFile | undefined {
    return this.files.get(name);
  }
}

/** What makes the page an app of the home screen. Source: https://www.w3.org/TR/appmanifest/ */
export function manifestOf(name: string): StaticFile {
  const icon = (size: string, purpose: string, src: string): object => ({
    src,
    sizes: size,
    type: src.endsWith('.svg') ? 'image/svg+xml' : 'image/png',
    purpose,
  });
  const manifest = {
    name,
    short_name: name.slice(0, 12).trim(),
    start_url: './',
    scope: './',
    id: './',
    display: 'standalone',
    background_color: '#f4f5fb',
    theme_color: '#3346c0',
    icons: [
      icon('192x192', 'any', 'icon-192.png'),
      icon('512x512', 'any', 'icon-512.png'),
      icon('512x512', 'maskable', 'icon-maskable-512.png'),
    ],
  };
  return fileOf(Buffer.from(JSON.stringify(manifest)), 'application/manifest+json; charset=utf-8');
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

// The form of each help: what the node is for, an example, the sections folded, and links at the end.
import fs from 'node:fs';
import path from 'node:path';
import { exampleOf, type Text } from './help-examples';

const root = path.resolve(__dirname, '..');

/** The pages of the documentation about each node, the first one first. */
const pages: Readonly<Record<string, readonly string[]>> = {
  'authy-config': ['which-service.md', 'this-node-red.md', 'verify.md', 'https.md', 'people.md'],
  'authy-user-create': ['people.md'],
  'authy-user-status': ['people.md'],
  'authy-user-update': ['people.md'],
  'authy-user-delete': ['people.md'],
  'authy-user-export': ['verify.md'],
  'authy-user-import': ['verify.md'],
  'authy-user-qr': ['this-node-red.md'],
  'authy-user-invite': ['this-node-red.md'],
  'authy-user-activity': ['which-output.md'],
  'authy-token-sms': ['which-output.md'],
  'authy-token-call': ['which-output.md'],
  'authy-token-email': ['which-output.md'],
  'authy-token-verify': ['which-output.md'],
  'authy-phone-start': ['which-output.md'],
  'authy-phone-check': ['which-output.md'],
  'authy-phone-status': ['which-output.md'],
  'authy-phone-info': ['which-output.md'],
  'authy-app-details': ['which-output.md'],
  'authy-app-stats': ['which-output.md'],
  'authy-onetouch-approval': ['approvals.md', 'which-output.md', 'this-node-red.md'],
  'authy-onetouch-send': ['no-public-address.md', 'this-node-red.md'],
  'authy-onetouch-status': ['no-public-address.md'],
  'authy-onetouch-callback': ['callbacks.md', 'callback-rejected.md', 'verify.md'],
  'authy-notifications': ['this-node-red.md'],
};

/** Where the documentation is on the web. */
const documentation = 'https://github.com/flowauth/node-red-authy/blob/main/docs/';

/** The fragments that the form puts into every help, or into some. */
export const formFragments = [
  'example',
  'example-in',
  'example-out',
  'example-out-by',
  'example-import',
  'documentation',
] as const;

/** As many characters fit into a line of Node-RED's sidebar. */
const narrowLine = 36;

/** A fragment in the language of the help. @param enclosed what stands where it has its slot */
export type Fragment = (name: (typeof formFragments)[number], enclosed?: string) => string;

/** As many entries of the first section are shown without a click: whoever reads so few needs no fold. */
const fewEntries = 3;

/**
 * A help in its form: the paragraphs before the first heading, the example, which can be imported, each section (from an `<h3>` to
 * the next) folded, and in the last one, the references, the pages of the documentation.
 *
 * @param help as it is written, merged with its fragments
 * @param folder the language's, such as `locales/de`
 * @throws Error if there is no example, no page, or nothing to fold
 */
export function formed(type: string, help: string, folder: string, fragment: Fragment): string {
  const [begin = '', ...sections] = help.split(/^(?=[ \t]*<h3>)/m);
  const last = sections.pop();
  if (last === undefined) throw new Error(`${type}.html has no <h3>.`);
  const end = last.lastIndexOf('</script');
  const references = last.slice(0, end).replace(/<ul>/, (list) => list + linksOf(type, fragment));
  return [
    begin,
    example(type, textsIn(folder), fragment),
    ...sections.map((section, index) => folded(section, index === 0 && isShort(section))),
    folded(references, true),
    last.slice(end),
  ].join('');
}

function folded(section: string, isOpen: boolean): string {
  const content = section.trim().replace(/^<h3>([\s\S]*?)<\/h3\s*>/, '<summary>$1</summary>');
  return `<details class="authy-help"${isOpen ? ' open' : ''}>\n${content}\n</details>\n`;
}

function isShort(section: string): boolean {
  return section.split('<dt').length - 1 <= fewEntries;
}

function example(type: string, text: Text, fragment: Fragment): string {
  const { in: message, out, by, settings } = exampleOf(type, text);
  const parts = [fragment('example'), importOf(type, fragment)];
  if (message !== undefined) parts.push(fragment('example-in'), shown(message));
  if (out !== undefined) {
    const output = by === undefined ? undefined : escaped(text(type, `output.${by}`));
    parts.push(
      output === undefined ? fragment('example-out') : fragment('example-out-by', output),
      shown(out),
    );
  }
  if (settings !== undefined) parts.push(shown(settings));
  return `${parts.join('\n')}\n`;
}

function shown(json: object): string {
  return `<pre class="authy-help-example">${escaped(laidOut(json))}</pre>`;
}

/** JSON for a sidebar: what fits into a line of it is on one line. */
function laidOut(json: unknown, indent = ''): string {
  const short = JSON.stringify(json, null, 1).replace(/\n */g, ' ');
  if (!(json instanceof Object) || indent.length + short.length <= narrowLine) return short;
  const inner = `${indent}  `;
  const members = Object.entries(json).map(([name, value]) => {
    const content = laidOut(value, inner);
    return inner + (Array.isArray(json) ? content : `${JSON.stringify(name)}: ${content}`);
  });
  const [open, close] = Array.isArray(json) ? '[]' : '{}';
  return `${open ?? ''}\n${members.join(',\n')}\n${indent}${close ?? ''}`;
}

/** What a newcomer looks for first: a flow that works. */
function importOf(type: string, fragment: Fragment): string {
  const name = escaped(exampleWith(type));
  const importIt = fragment('example-import', name);
  return `<p><a href="#" role="button" data-authy-example="${name.replaceAll('"', '&quot;')}">${importIt}</a></p>`;
}

function linksOf(type: string, fragment: Fragment): string {
  const links = (pages[type] ?? []).map((page) => {
    const [, title = page] = /^# (.*)$/m.exec(fs.readFileSync(path.join(root, 'docs', page), 'utf8')) ?? [];
    const readIt = fragment('documentation', escaped(title));
    return `<li><a href="${documentation}${page}" target="_blank" rel="noopener">${readIt}</a></li>`;
  });
  if (links.length === 0) throw new Error(`${type} has no page of the documentation.`);
  return `\n${links.join('\n')}`;
}

/** The first example, in the order in which people see them, that has a node of a type. @returns its name */
function exampleWith(type: string): string {
  const files = fs.readdirSync(path.join(root, 'examples')).filter((file) => file.endsWith('.json'));
  files.sort((one, other) => one.localeCompare(other, 'en', { numeric: true }));
  const found = files.find((file) => {
    const nodes = JSON.parse(fs.readFileSync(path.join(root, 'examples', file), 'utf8')) as {
      type: string;
    }[];
    return nodes.some((node) => node.type === type);
  });
  if (found === undefined) throw new Error(`No example has a node of the type ${type}.`);
  return path.basename(found, '.json');
}

/** The texts of a language. */
function textsIn(folder: string): Text {
  return (catalogue, key, values = {}) => {
    const file = path.join(folder, `${catalogue}.json`);
    const texts = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
    // The catalogue of a node has its texts below the node's type.
    const found = key
      .split('.')
      .reduce<unknown>(
        (at, name) => (at as Record<string, unknown> | undefined)?.[name],
        texts[catalogue] ?? texts,
      );
    if (typeof found !== 'string') throw new Error(`${file} has no text "${key}".`);
    return found.replace(/__(\w+)__/g, (place, name: string) => values[name] ?? place);
  };
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

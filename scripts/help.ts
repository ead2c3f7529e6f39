// The help of the nodes. What several of them say is written once, in shared-help.html, and merged when it is built.
import fs from 'node:fs';
import path from 'node:path';
import { formed, formFragments } from './help-form';

/** The fragments of a language, each `<template id="…">…</template>`. */
export const sharedHelp = 'shared-help.html';

// Prettier may break a line before the end of any tag.
const fragment = /<template id="([^"]*)"\s*>([\s\S]*?)<\/template\s*>/g;
const use = /<shared-help name="([^"]*)"\s*>([\s\S]*?)<\/shared-help\s*>/g;
const slot = /<slot\s*><\/slot\s*>/g;

/** What a help is made of. Anything else that is left once it is merged would be a placeholder with a slip in it. */
const elements = new Set('script p h3 h4 dl dt dd ol ul li code span a'.split(' '));

/** The names of the fragments that a help uses, in their order and as often as it does. */
export function fragmentsUsedIn(help: string): string[] {
  return [...help.matchAll(use)].map(([, name = '']) => name);
}

/**
 * Each help of a language by its node type, as Node-RED finds it: in the form of all, and with the fragments in place of
 * `<shared-help name="…"></shared-help>`. What that encloses stands where the fragment has its `<slot></slot>`.
 *
 * @param folder the language's, such as `locales/de`
 * @throws Error with a line for each thing that is wrong: the file, and the name of the fragment
 */
export function helpsIn(folder: string): Map<string, string> {
  const problems: string[] = [];
  const complain = (file: string, problem: string) =>
    problems.push(`${path.join(path.basename(folder), file)}: ${problem}`);

  const fragments = fragmentsOf(fs.readFileSync(path.join(folder, sharedHelp), 'utf8'), (problem) =>
    complain(sharedHelp, problem),
  );
  const unused = new Set(fragments.keys());
  const helps = new Map<string, string>();
  for (const file of fs.readdirSync(folder).sort()) {
    if (path.extname(file) !== '.html' || file === sharedHelp) continue;
    const help = fs.readFileSync(path.join(folder, file), 'utf8');
    const merged = help.replace(use, (_, name: string, content: string) => {
      unused.delete(name);
      const [text, enclosed] = [fragments.get(name), content.trim()];
      if (text === undefined) {
        complain(file, `${sharedHelp} has no fragment "${name}"`);
        return '';
      }
      const hasSlot = text.search(slot) !== -1;
      if (hasSlot && enclosed === '')
        complain(file, `"${name}" encloses nothing for the slot of the fragment`);
      if (!hasSlot && enclosed !== '') complain(file, `"${name}" has no slot for what it encloses`);
      return text.replaceAll(slot, () => enclosed);
    });
    for (const [tag, name = ''] of merged.matchAll(/<[/!]?([\w-]*)[^>]*>?/g)) {
      if (!elements.has(name)) complain(file, `${tag} has no place in a help`);
    }
    helps.set(path.basename(file, '.html'), merged);
  }
  for (const name of formFragments) {
    if (!unused.delete(name)) complain(sharedHelp, `the form of each help needs the fragment "${name}"`);
  }
  for (const name of unused) complain(sharedHelp, `no help uses the fragment "${name}"`);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const fragment = (name: string, enclosed = '') => fragments.get(name)?.replace(slot, () => enclosed) ?? '';
  return new Map([...helps].map(([type, help]) => [type, formed(type, help, folder, fragment)]));
}

function fragmentsOf(source: string, complain: (problem: string) => void): Map<string, string> {
  const fragments = new Map<string, string>();
  for (const [, name = '', text = ''] of source.matchAll(fragment)) {
    if (fragments.has(name)) complain(`the fragment "${name}" is there twice`);
    fragments.set(name, text.trim());
  }
  const rest = source.replace(fragment, '').trim();
  if (rest !== '') complain(`this is no fragment: ${rest}`);
  return fragments;
}

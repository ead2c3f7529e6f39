import type { CallExpression } from 'acorn';
import should from 'should';
import type { OperationName } from '../../nodes/lib/contract/results';
import type { Need, Refusal, Supported, Unsupported } from '../../nodes/lib/contract/service';
import { sharedHelp } from '../../scripts/help';
import {
  callsOf,
  declaredIn,
  filesOf,
  kinds,
  literal,
  manifest,
  operationsByType,
  otherNodes,
  panelOf,
  propertiesOf,
  read,
  scriptOf,
  types,
} from './panels';
import {
  catalogues,
  coreTexts,
  formsOf,
  languages,
  sidebarCatalogue,
  textsOf,
  translations,
} from './catalogues';

/** A Node-RED badge is shown beneath a node, where there is room for so many characters. */
const longestBadge = 20;

/** What the runtime looks up for its badges, below `status` in the account's catalogue. */
const badges = [
  'sending',
  'waiting',
  'simulator',
  'duplicate',
  'publicUrlUnknown',
  ...new Set([
    ...[...operationsByType.values()].flatMap(({ outcomes }) => Object.keys(outcomes)),
    ...Object.values(otherNodes).flatMap(({ outputs }) => outputs),
  ]),
  ...declaredIn(read('nodes', 'lib', 'contract', 'errors.ts'), 'AuthyErrorCode').map(
    (code) => `error.${code.replace(/^AUTHY_/, '')}`,
  ),
  ...declaredIn(read('nodes', 'lib', 'contract', 'errors.ts'), 'BadgeWord').map((word) => `error.${word}`),
  // An error that is none of ours.
  'error.UNEXPECTED',
].map((badge) => `status.${badge}`);

/** What services do not do: for each key in the account's catalogue, what the runtime says. */
const reasons = new Map(
  kinds.flatMap(({ id, abilities, answersByHttp }) => [
    ...lacking(`${id}.answersByHttp`, answersByHttp),
    ...Object.entries<Supported<OperationName> | Unsupported>(abilities).flatMap(([name, ability]) => {
      const refuses = 'unsupported' in ability ? {} : (ability.refuses ?? {});
      return [
        ...lacking(`${id}.${name}`, ability),
        ...Object.entries<Refusal>(refuses).map(([input, { reason }]): [string, string] => [
          `common.refused.${id}.${name}.${input}`,
          reason,
        ]),
      ];
    }),
  ]),
);

/** What is said of something that is not done, or not with every setting. */
function lacking(what: string, does: Unsupported | { readonly needs?: Need }): [string, string][] {
  const reason = 'unsupported' in does ? does.unsupported : does.needs?.reason;
  return reason === undefined ? [] : [[`common.unsupported.${what}`, reason]];
}

/** The full key, with its catalogue, of a key as a node's panel writes it. */
function fullKey(type: string, key: string): string {
  return key.includes(':') ? key : `${manifest.name}/${type}:${key}`;
}

/** The keys that an HTML file uses. */
function keysOf(type: string): string[] {
  const { form, script, definition } = panelOf(type);
  const attributes = form
    .querySelectorAll('[data-i18n]')
    .flatMap((element) => element.getAttribute('data-i18n')?.split(';') ?? [])
    .map((key) => key.replace(/^\[.*\]/, ''));
  const options = form.querySelectorAll('[data-labels]').flatMap((element) => {
    const values = element.getAttribute('data-options')?.split(',') ?? [];
    return values.map((value) => `${element.getAttribute('data-labels') ?? ''}.${value}`);
  });
  const blanks = form
    .querySelectorAll('[data-blank]')
    .map((element) => element.getAttribute('data-blank') ?? '');
  const used = [...attributes, ...options, ...blanks, ...keysInScript(script)];
  if (definition.categoryDescription !== undefined) used.push(definition.categoryDescription);
  return used.map((key) => fullKey(type, key));
}

function keysInScript(script: string): string[] {
  return textCallsIn(script).flatMap((call) => {
    const [key, values] = [literal(call.arguments[0]), call.arguments[1]];
    if (typeof key !== 'string') return [];
    const isCounted = values?.type === 'ObjectExpression' && propertiesOf(values).has('count');
    return isCounted ? formsOf('en-US', key) : [key];
  });
}

function textCallsIn(script: string): CallExpression[] {
  return callsOf(script, 'RED._', 'this._', 'node._', 'texts._');
}

/** The scripts of the plugins whose texts are those of the account. */
const sharedScripts = Object.keys(manifest['node-red'].plugins)
  .filter((name) => name !== sidebarCatalogue)
  .map((name) => scriptOf(read('nodes', `${name}.html`)));

/** The script of the sidebar. Its `texts._` looks a key up in its own catalogue. */
const sidebarScript = scriptOf(read('nodes', 'authy-sidebar.html'));

describe('contract: catalogues', () => {
  it('each panel writes its keys as literals', () => {
    for (const type of types) {
      const { script } = panelOf(type);
      should(textCallsIn(script).filter((call) => typeof literal(call.arguments[0]) !== 'string')).be.empty();
    }
    const inSidebar = callsOf(sidebarScript, 'texts._');
    should(inSidebar.filter((call) => typeof literal(call.arguments[0]) !== 'string')).be.empty();
  });

  it('each key that is used has its text, and each text its use', () => {
    const used = new Set([
      ...types.flatMap(keysOf),
      ...sharedScripts.flatMap(keysInScript).map((key) => fullKey('authy-config', key)),
      ...keysInScript(sidebarScript).map((key) => fullKey(sidebarCatalogue, key)),
      ...[...badges, ...reasons.keys()].map((key) => fullKey('authy-config', key)),
    ]);
    const ours = [...types, sidebarCatalogue].flatMap((catalogue) =>
      [...textsOf('en-US', catalogue).keys()].map((key) => fullKey(catalogue, key)),
    );
    const there = new Set([...ours, ...coreTexts().keys()]);
    should([...used].filter((key) => !there.has(key))).deepEqual([], 'keys without a text');
    should(ours.filter((key) => !used.has(key))).deepEqual([], 'texts that nothing uses');
  });

  it('the English text of what a service does not do is what the runtime says', () => {
    const texts = textsOf('en-US', 'authy-config');
    for (const [key, reason] of reasons) should(texts.get(key)).equal(reason, key);
  });

  it('each catalogue is of its own node, and only the account has what all share', () => {
    for (const type of [...types, sidebarCatalogue]) {
      const sections = new Set([...textsOf('en-US', type).keys()].map((key) => key.split('.')[0]));
      should([...sections]).deepEqual(type === 'authy-config' ? [type, 'common', 'status'] : [type]);
    }
  });

  for (const language of languages) {
    it(`${language} has each catalogue and help, what helps share, and no other file`, () => {
      const named = (names: string[], extension: string) => names.map((name) => name + extension).sort();
      should(filesOf(`locales/${language}`, '.json')).deepEqual(named(catalogues, '.json'));
      should(filesOf(`locales/${language}`, '.html')).deepEqual(
        [...named(types, '.html'), sharedHelp].sort(),
      );
    });

    it(`${language} has a text for each key`, () => {
      for (const catalogue of catalogues) {
        const blank = [...textsOf(language, catalogue)].filter(([, text]) => text.trim() === '');
        should(blank.map(([key]) => key)).be.empty();
      }
    });

    it(`${language}: badges have at most ${longestBadge} characters`, () => {
      const texts = textsOf(language, 'authy-config');
      const long = badges.filter((badge) => (texts.get(badge)?.length ?? Infinity) > longestBadge);
      should(long).be.empty();
    });

    it(`${language}: labels in the palette are short, and each is different`, () => {
      const labels = types.map((type) => textsOf(language, type).get(`${type}.paletteLabel`) ?? '');
      should(labels.filter((label) => label.length > 20)).be.empty();
      should(new Set(labels).size).equal(labels.length);
    });
  }

  for (const language of translations) {
    for (const catalogue of catalogues) {
      it(`${language}/${catalogue}.json has the keys and placeholders of the English one`, () => {
        const english = textsOf('en-US', catalogue);
        const translated = textsOf(language, catalogue);
        const expected = new Map(
          [...english].flatMap(([key, text]) => {
            if (english.has(`${key}_plural`)) return [];
            const forms = key.endsWith('_plural') ? formsOf(language, key.replace(/_plural$/, '')) : [key];
            return forms.map((form) => [form, text] as const);
          }),
        );
        should([...translated.keys()].sort()).deepEqual([...expected.keys()].sort());
        for (const [key, text] of translated) {
          should(placeholders(text)).deepEqual(placeholders(expected.get(key) ?? ''), key);
        }
      });
    }
  }
});

/** What must stand in a translation as it stands in the original. */
function placeholders(text: string): string[] {
  return (text.match(/__\w+__|\{\{\w+\}\}|\$\{\w+\}/g) ?? []).sort();
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import {
  type ExpressionStatement,
  type Node as AstNode,
  type ObjectExpression,
  parse,
  type Property,
} from 'acorn';
import { type HTMLElement, parse as parseHtml } from 'node-html-parser';
import should from 'should';
import { type Operation, operations } from '../../nodes/lib/operations';

/**
 * Holds together what belongs together: the table, package.json, the panels, their labels and help in every
 * language, icons and examples. A failure names what is missing.
 */

const root = path.join(__dirname, '..', '..');
const read = (...names: string[]): string => readFileSync(path.join(root, ...names), 'utf8');
const list = (...names: string[]): string[] => readdirSync(path.join(root, ...names));

const manifest = JSON.parse(read('package.json')) as {
  name: string;
  'node-red': { nodes: Record<string, string>; plugins: Record<string, string> };
};
const table = (Object.values(operations) as unknown as Operation[]).map((operation) => ({
  ...operation,
  ports: Math.max(...Object.values(operation.outcomes).map(([output]) => output)) + 1,
}));
const types = Object.keys(manifest['node-red'].nodes);
const languages = list('locales').filter((name) => /^[a-z]{2}(?:-[A-Z]{2})?$/.test(name));
const sharedSet = `${manifest.name}/authy-config`;

/** A panel: its definition as the Flow Library reads it, and its form. */
interface Panel {
  text: string;
  type: string;
  definition: ObjectExpression;
  form: HTMLElement;
}

const panels = new Map(types.map((type) => [type, readPanel(type)]));
const panelOf = (type: string): Panel => panels.get(type) ?? readPanel(type);

function readPanel(type: string): Panel {
  const text = read('nodes', `${type}.html`);
  const html = parseHtml(text, { blockTextElements: { script: true } });
  const script = html.querySelector('script[type="text/javascript"]')?.textContent ?? '';
  const template = html.querySelector(`script[data-template-name="${type}"]`)?.textContent ?? '';
  const calls = parse(script, { ecmaVersion: 2022 }).body.filter(
    (statement): statement is ExpressionStatement => statement.type === 'ExpressionStatement',
  );
  for (const { expression } of calls) {
    if (expression.type !== 'CallExpression') continue;
    const [name, definition] = expression.arguments;
    if (name?.type === 'Literal' && definition?.type === 'ObjectExpression') {
      return { text, type: String(name.value), definition, form: parseHtml(template) };
    }
  }
  throw new Error(`${type}.html has no literal RED.nodes.registerType('${type}', { … })`);
}

/** The members of an inline object; a spread would make the whole file unreadable to the Flow Library. */
function members(object: ObjectExpression): Map<string, AstNode> {
  return new Map(
    object.properties.map((property) => {
      if (property.type !== 'Property') throw new Error('a spread in a definition');
      return [keyOf(property), property.value];
    }),
  );
}

function keyOf({ key }: Property): string {
  if (key.type === 'Identifier') return key.name;
  if (key.type === 'Literal') return String(key.value);
  throw new Error('a computed key in a definition');
}

function objectAt(object: ObjectExpression, name: string): ObjectExpression {
  const found = members(object).get(name);
  if (found?.type !== 'ObjectExpression') throw new Error(`${name} is not an inline object`);
  return found as ObjectExpression;
}

function literalAt(object: ObjectExpression, name: string): unknown {
  const found = members(object).get(name);
  if (found?.type !== 'Literal') throw new Error(`${name} is not a literal`);
  return (found as unknown as { value: unknown }).value;
}

/** A catalogue, flat: `label.name` → text. */
function catalogue(language: string, set: string): Map<string, string> {
  const flat = new Map<string, string>();
  const walk = (value: unknown, key: string): void => {
    if (typeof value === 'string') flat.set(key, value);
    else
      for (const [name, inner] of Object.entries(value as object))
        walk(inner, key === '' ? name : `${key}.${name}`);
  };
  walk(JSON.parse(read('locales', language, `${set}.json`)), '');
  return flat;
}

const placeholders = (text: string): string[] => (text.match(/__\w+__|\$\{\w+\}/g) ?? []).sort();

/** The keys that a panel asks for in its own catalogue and in the shared one. */
function keysUsed(text: string): { own: string[]; shared: string[] } {
  const markup = [...text.matchAll(/data-i18n="(?:\[\w+\])?([^"]+)"/g)].map(([, key]) => key ?? '');
  const calls = [...text.matchAll(/\b_\(\s*'([^']+)'\s*[,)]/g)].map(([, key]) => key ?? '');
  const keys = [...markup, ...calls];
  return {
    own: keys.filter((key) => !key.includes(':')),
    shared: keys
      .filter((key) => key.startsWith(`${sharedSet}:`))
      .map((key) => key.slice(sharedSet.length + 1)),
  };
}

function helpOf(language: string, type: string): HTMLElement {
  const help = parseHtml(read('locales', language, `${type}.html`), { blockTextElements: { script: true } });
  const script = help.querySelector(`script[data-help-name="${type}"]`);
  should.exist(script, `locales/${language}/${type}.html has no help for ${type}`);
  return parseHtml(script?.textContent ?? '');
}

const exampleNodes = list('examples')
  .filter((file) => file.endsWith('.json'))
  .flatMap((file) => JSON.parse(read('examples', file)) as { type: string }[]);

describe('Contract', () => {
  it('package.json lists the account first, then every operation and the callback', () => {
    should(types[0]).equal('authy-config');
    [...types]
      .sort()
      .should.eql([...table.map(({ node }) => node), 'authy-config', 'authy-onetouch-callback'].sort());
    for (const [type, file] of Object.entries(manifest['node-red'].nodes))
      file.should.equal(`dist/${type}.js`);
    for (const file of Object.values(manifest['node-red'].plugins)) {
      existsSync(path.join(root, file.replace('dist', 'nodes'))).should.be.true(`${file} has no source`);
    }
  });

  for (const { node, inputs, outcomes, ports } of table) {
    describe(node, () => {
      it('has a runtime that names its operation', () => {
        const [operation] = /(?<=operationNode\(')\w+/.exec(read('nodes', `${node}.ts`)) ?? [];
        should((operations as unknown as Record<string, Operation | undefined>)[operation ?? '']?.node).equal(
          node,
        );
      });

      it('has the defaults of the table, and no others', () => {
        const { type, definition } = panelOf(node);
        type.should.equal(node);
        const defaults = objectAt(definition, 'defaults');
        const expected = Object.keys(inputs).flatMap((input) => [input, `${input}Type`]);
        [...members(defaults).keys()].should.eql(['name', 'account', ...expected]);
        for (const [
          input,
          {
            default: [value, valueType],
          },
        ] of Object.entries(inputs)) {
          should(literalAt(objectAt(defaults, input), 'value')).equal(value, `value of ${input}`);
          should(literalAt(objectAt(defaults, `${input}Type`), 'value')).equal(valueType, `type of ${input}`);
        }
        should(literalAt(objectAt(defaults, 'account'), 'type')).equal('authy-config');
      });

      it('asks for what is required, and only for that', () => {
        const defaults = objectAt(panelOf(node).definition, 'defaults');
        for (const [input, { required }] of Object.entries(inputs)) {
          const property = objectAt(defaults, input);
          const isRequired = members(property).has('required') && literalAt(property, 'required') === true;
          isRequired.should.equal(required, `required of ${input}`);
          members(property).has('validate').should.be.true(`validator of ${input}`);
        }
      });

      it('offers the types of each input in its row, its default among them', () => {
        for (const [
          input,
          {
            default: [, valueType],
          },
        ] of Object.entries(inputs)) {
          const field = panelOf(node).form.querySelector(`#node-input-${input}`);
          const offered = field?.getAttribute('data-types')?.split(',') ?? [];
          offered.should.containEql(valueType, `types of ${input}`);
          should.exist(
            panelOf(node).form.querySelector(`input[type=hidden]#node-input-${input}Type`),
            `${input}Type`,
          );
        }
      });

      it('has an output and a label for each port', () => {
        const { definition, text } = panelOf(node);
        should(literalAt(definition, 'inputs')).equal(1);
        should(literalAt(definition, 'outputs')).equal(ports);
        const names = Object.entries(outcomes)
          .sort(([, [a]], [, [b]]) => a - b)
          .map(([name]) => name);
        const labels = [...text.matchAll(/\.output\.(\w+)'/g)].map(([, name]) => name);
        labels.should.eql(ports === 1 ? labels.slice(0, 1) : names);
        for (const label of labels) names.should.containEql(label);
      });

      for (const language of languages) {
        it(`its help names every input, and an item for each output (${language})`, () => {
          const help = helpOf(language, node);
          const terms = help.querySelectorAll('dt').map((term) => term.childNodes[0]?.textContent.trim());
          for (const input of Object.keys(inputs)) terms.should.containEql(input);
          help.querySelectorAll('ol.node-ports > li').length.should.equal(ports === 1 ? 0 : ports);
        });
      }
    });
  }

  for (const type of types) {
    describe(type, () => {
      const prefix = type === 'authy-config' ? 'node-config-input-' : 'node-input-';

      it('has a form row for every default and credential, and a default for every row', () => {
        const { definition, form } = panelOf(type);
        const names = [...members(objectAt(definition, 'defaults')).keys()];
        if (members(definition).has('credentials'))
          names.push(...members(objectAt(definition, 'credentials')).keys());
        const fields = form.querySelectorAll('input, select').map((field) => field.id.replace(prefix, ''));
        fields.sort().should.eql(names.sort());
      });

      it('binds every label to its control', () => {
        const { form } = panelOf(type);
        const visible = form.querySelectorAll('input:not([type=hidden]), select').map(({ id }) => id);
        const bound = form.querySelectorAll('label').map((label) => label.getAttribute('for'));
        bound.sort().should.eql(visible.sort());
      });

      it('uses no colour of its own but the one of the node', () => {
        const colours = panelOf(type).text.match(/#[0-9a-f]{3,8}\b/gi) ?? [];
        colours.filter((colour) => colour !== '#3FADB5').should.eql([]);
      });

      if (type !== 'authy-config') {
        it('is in the palette as one of a family, with an icon of ours', () => {
          const { definition } = panelOf(type);
          should(literalAt(definition, 'category')).equal('authy');
          should(literalAt(definition, 'color')).equal('#3FADB5');
          existsSync(path.join(root, 'icons', String(literalAt(definition, 'icon')))).should.be.true();
        });

        it('is used in an example', () => {
          exampleNodes.map((node) => node.type).should.containEql(type);
        });
      }

      for (const language of languages) {
        it(`finds all its words (${language})`, () => {
          const { own, shared } = keysUsed(panelOf(type).text);
          const ownCatalogue = catalogue(language, type);
          const sharedCatalogue = catalogue(language, 'authy-config');
          own.filter((key) => !ownCatalogue.has(key) && !key.endsWith('.')).should.eql([]);
          shared.filter((key) => !sharedCatalogue.has(key) && !key.endsWith('.')).should.eql([]);
        });

        it(`has help that begins with a paragraph (${language})`, () => {
          const help = helpOf(language, type);
          should(help.firstElementChild?.tagName).equal('P');
          help
            .querySelectorAll('h3')
            .map(({ textContent }) => textContent)
            .length.should.be.above(1);
        });
      }
    });
  }

  it('every word of the catalogues is used somewhere', () => {
    const sources = list('nodes')
      .filter((file) => file.endsWith('.html'))
      .map((file) => read('nodes', file))
      .join('\n');
    // What is put together at run time: badge texts, and the choices of an input.
    const isComposed = (key: string): boolean => key.startsWith('status.') || key.includes('.option.');
    for (const set of types) {
      for (const key of catalogue('en-US', set).keys()) {
        // A key that ends another one's name is not its use.
        const isUsed = new RegExp(`[:'"\`\\]]${key.replaceAll('.', '\\.')}['"\`]`).test(sources);
        (isUsed || isComposed(key)).should.be.true(`${set}: nothing uses ${key}`);
      }
    }
    const outcomes = table.flatMap((operation) => Object.keys(operation.outcomes));
    const known = new Set([...outcomes, 'sending', 'simulator', 'rejected', 'duplicate', 'error']);
    for (const key of catalogue('en-US', 'authy-config').keys()) {
      const [group, name = ''] = key.split('.');
      if (group === 'status') known.has(name).should.be.true(`nothing has the status ${name}`);
    }
  });

  it('every choice of an input has a label, and every label a choice', () => {
    for (const { node, inputs } of table) {
      const labels = [...catalogue('en-US', node).keys()].filter((key) => key.includes('.option.'));
      const choices = Object.keys(inputs).flatMap((input) => {
        const field = panelOf(node).form.querySelector(`#node-input-${input}`);
        const options = field?.getAttribute('data-options')?.split(',') ?? [];
        return options.map((option) => `${field?.getAttribute('data-labels') ?? ''}.${option}`);
      });
      labels.sort().should.eql(choices.sort(), node);
    }
  });

  it('the choices on the panel are those the table takes', () => {
    for (const { node, inputs } of table) {
      for (const [input, { parse: accept }] of Object.entries(inputs)) {
        const options = panelOf(node)
          .form.querySelector(`#node-input-${input}`)
          ?.getAttribute('data-options');
        for (const option of options?.split(',') ?? []) should(accept(option, input)).equal(option);
      }
    }
  });

  for (const language of languages) {
    it(`each outcome and error has a badge text of at most 20 characters (${language})`, () => {
      const words = catalogue(language, 'authy-config');
      const codes = [...read('nodes', 'lib', 'authy', 'errors.ts').matchAll(/\| 'AUTHY_(\w+)'/g)].map(
        ([, code]) => code,
      );
      codes.length.should.be.above(20);
      const keys = [
        'sending',
        'simulator',
        'duplicate',
        'rejected',
        ...table.flatMap(({ outcomes }) => Object.keys(outcomes)),
        ...codes.map((code) => `error.${code}`),
        'error.UNEXPECTED',
      ];
      for (const key of keys) {
        const text = words.get(`status.${key}`);
        should.exist(text, `status.${key}`);
        should(text?.length).be.belowOrEqual(20, `status.${key}`);
      }
    });

    it(`has every key, placeholder and term that English has, and no more (${language})`, () => {
      list('locales', language).sort().should.eql(list('locales', 'en-US').sort());
      for (const type of types) {
        const english = catalogue('en-US', type);
        const translated = catalogue(language, type);
        [...translated.keys()].sort().should.eql([...english.keys()].sort(), type);
        for (const [key, text] of translated) {
          placeholders(text).should.eql(placeholders(english.get(key) ?? ''), `${type}: ${key}`);
        }
        const terms = (help: HTMLElement): number => help.querySelectorAll('dt').length;
        terms(helpOf(language, type)).should.equal(
          terms(helpOf('en-US', type)),
          `terms in the help of ${type}`,
        );
      }
    });
  }

  it('every icon is an SVG in the proportion 2:3, and is used', () => {
    const used = new Set(
      types
        .filter((type) => type !== 'authy-config')
        .map((type) => literalAt(panelOf(type).definition, 'icon')),
    );
    for (const icon of list('icons')) {
      should(used.has(icon)).be.true(`${icon} is not used`);
      read('icons', icon).should.match(/<svg [^>]*viewBox="0 0 40 60"/);
    }
  });

  it('examples carry no function node and no credentials, and say what to do first', () => {
    for (const file of list('examples')) {
      const nodes = JSON.parse(read('examples', file)) as { type: string; credentials?: unknown }[];
      nodes.filter(({ type }) => type === 'function').should.eql([], file);
      nodes.filter(({ credentials }) => credentials !== undefined).should.eql([], file);
      nodes.some(({ type }) => type === 'comment').should.be.true(file);
    }
  });

  it('the README lists every error code', () => {
    const codes = [...read('nodes', 'lib', 'authy', 'errors.ts').matchAll(/\| '(AUTHY_\w+)'/g)].map(
      ([, code]) => code,
    );
    const readme = read('README.md');
    for (const code of codes) readme.should.containEql(`\`${code}\``);
  });
});

import should from 'should';
import { type HTMLElement, NodeType, parse } from 'node-html-parser';
import { type Inputs, type OperationName, operations, type ResultOf } from '../../nodes/lib/operations';
import { declaredIn, outcomesByOutput, panelOf, read, types } from './panels';
import { languages, textsOf, translations } from './catalogues';

/** A member's type, in the words of the help. */
type Words<T> = null extends T ? `${Word<NonNullable<T>>} | null` : Word<T>;
type Word<T> = [T] extends [string]
  ? 'string'
  : [T] extends [number]
    ? 'number'
    : [T] extends [boolean]
      ? 'boolean'
      : [T] extends [readonly unknown[]]
        ? 'array'
        : 'object';

/** The members of each result. The compiler holds them to the table, the tests below hold the help to them. */
const results: {
  readonly [N in OperationName]: { readonly [M in keyof ResultOf<N>]: Words<ResultOf<N>[M]> };
} = {
  userCreate: { authyId: 'string', phoneNumber: 'string', countryCode: 'string' },
  userStatus: {
    authyId: 'string',
    confirmed: 'boolean | null',
    registered: 'boolean | null',
    maskedPhone: 'string | null',
    countryCode: 'string | null',
    email: 'string | null',
    devices: 'array',
    hasHardToken: 'boolean | null',
    accountDisabled: 'boolean | null',
  },
  userUpdate: { authyId: 'string', email: 'string' },
  userDelete: { authyId: 'string', deleted: 'boolean' },
  userQr: { authyId: 'string', qrCode: 'string', label: 'string | null', issuer: 'string | null' },
  userActivity: { authyId: 'string', activity: 'string' },
  tokenSms: {
    authyId: 'string',
    sent: 'boolean',
    ignored: 'boolean',
    maskedPhone: 'string | null',
    device: 'string | null',
  },
  tokenCall: {
    authyId: 'string',
    sent: 'boolean',
    ignored: 'boolean',
    maskedPhone: 'string | null',
    device: 'string | null',
  },
  tokenEmail: { authyId: 'string', sent: 'boolean', email: 'string | null', emailId: 'string | null' },
  tokenVerify: { authyId: 'string', valid: 'boolean', reason: 'string | null', device: 'object | null' },
  phoneStart: {
    phoneNumber: 'string',
    countryCode: 'string',
    via: 'string',
    verificationId: 'string | null',
    secondsToExpire: 'number | null',
    carrier: 'string | null',
    isCellphone: 'boolean | null',
    isPorted: 'boolean | null',
  },
  phoneCheck: { phoneNumber: 'string', countryCode: 'string', valid: 'boolean', reason: 'string | null' },
  phoneStatus: { status: 'string', secondsToExpire: 'number | null' },
  phoneInfo: {
    phoneNumber: 'string',
    countryCode: 'string',
    type: 'string | null',
    provider: 'string | null',
    ported: 'boolean | null',
  },
  appDetails: {
    appId: 'number | null',
    name: 'string | null',
    plan: 'string | null',
    smsEnabled: 'boolean | null',
    phoneCallsEnabled: 'boolean | null',
    onetouchEnabled: 'boolean | null',
  },
  appStats: { appId: 'number | null', totalUsers: 'number | null', months: 'array' },
  onetouchSend: { approvalId: 'string', authyId: 'string', status: 'string' },
  onetouchStatus: {
    approvalId: 'string',
    authyId: 'string',
    status: 'string',
    notified: 'boolean | null',
    createdAt: 'string | null',
    processedAt: 'string | null',
    secondsToExpire: 'number | null',
  },
};

/** A term of a help, such as `authyId`: what it is called, and the `<dd>` that explains it. */
interface Term {
  name: string;
  type: string;
  isOptional: boolean;
  explained: HTMLElement;
}

function helpOf(language: string, type: string): HTMLElement {
  const found = parse(read('locales', language, `${type}.html`)).querySelectorAll('script');
  const [script] = found;
  if (script === undefined || found.length > 1)
    throw new Error(`${language}/${type}.html must have one script.`);
  should(script.attributes).deepEqual({ type: 'text/html', 'data-help-name': type });
  return parse(script.rawText);
}

function termsIn(elements: readonly HTMLElement[]): Term[] {
  const lists = elements.filter(({ rawTagName }) => rawTagName === 'dl');
  return lists.flatMap((list) =>
    list.querySelectorAll('dt').map((term) => {
      const explained = term.nextElementSibling;
      if (explained?.rawTagName !== 'dd') throw new Error(`"${term.text.trim()}" has no <dd>.`);
      const type = term.querySelector('.property-type')?.text ?? '';
      const name = term.childNodes.find(({ nodeType }) => nodeType === NodeType.TEXT_NODE)?.text.trim() ?? '';
      return { name, type, isOptional: term.classList.contains('optional'), explained };
    }),
  );
}

/** The parts of a help, each beginning with an `<h3>`, by the heading's place. */
function sectionsOf(help: HTMLElement): HTMLElement[][] {
  const sections: HTMLElement[][] = [];
  for (const element of help.children) {
    if (element.rawTagName === 'h3') sections.push([]);
    sections.at(-1)?.push(element);
  }
  return sections;
}

function headingsOf(help: HTMLElement): string[] {
  return help.querySelectorAll('h3').map(({ text }) => text);
}

describe('contract: help', () => {
  for (const type of types) {
    it(`${type}: begins with a short paragraph, and has the usual parts`, () => {
      const help = helpOf('en-US', type);
      const [first] = help.children;
      should(first?.rawTagName).equal('p');
      // Three lines of the palette's tooltip.
      should(first?.text.trim().replace(/\s+/g, ' ').length).be.within(20, 150);
      const parts = type === 'authy-config' ? ['Properties'] : ['Inputs', 'Outputs'];
      should(headingsOf(help)).deepEqual([...parts, 'Details', 'References']);
      should(help.querySelectorAll('b, i, strong, em')).be.empty();
    });

    it(`${type}: links to https only, in a window of its own`, () => {
      for (const link of helpOf('en-US', type).querySelectorAll('a')) {
        should(link.getAttribute('href')).match(/^https:\/\//);
        should(link.getAttribute('target')).equal('_blank');
      }
    });
  }

  for (const [name, operation] of Object.entries(operations) as [
    OperationName,
    (typeof operations)[OperationName],
  ][]) {
    const type = operation.node;
    const inputs: Inputs = operation.inputs;

    it(`${type}: names every input, whether it is optional, and where it is read from`, () => {
      const [section = []] = sectionsOf(helpOf('en-US', type));
      const terms = termsIn(section);
      should(terms.map((term) => term.name).sort()).deepEqual(
        [...Object.keys(inputs), 'requestTimeout'].sort(),
      );
      for (const { name, isOptional, explained } of terms) {
        const input = inputs[name];
        should(isOptional).equal(!(input?.required ?? false), `${name} is optional`);
        if (input?.default[1] !== 'msg') continue;
        const named = explained.querySelectorAll('code').map(({ text }) => text);
        should(named).containEql(`msg.${input.default[0]}`);
      }
    });

    it(`${type}: names every member of the message that it sends on, with its type`, () => {
      const [, section = []] = sectionsOf(helpOf('en-US', type));
      const found = Object.fromEntries(termsIn(section).map((term) => [term.name, term.type]));
      const expected: Record<string, string> = { authy: 'object' };
      for (const [member, words] of Object.entries(results[name])) expected[`payload.${member}`] = words;
      for (const carried of operation.carries) expected[carried] = 'string';
      should(found).deepEqual(expected);
    });

    it(`${type}: tells of the errors, and of what is never done twice`, () => {
      const text = helpOf('en-US', type).text;
      should(text).containEql('msg.error.code');
      should(/never sent\s+twice/.test(text)).equal(operation.authy.repeat === 'never');
      should(text.includes('AUTHY_OUTCOME_UNKNOWN')).equal(operation.authy.repeat === 'never');
    });
  }

  it('names error codes that there are', () => {
    const codes = declaredIn(read('nodes', 'lib', 'authy', 'errors.ts'), 'AuthyErrorCode');
    for (const language of languages) {
      for (const type of types) {
        const named = helpOf(language, type).text.match(/\bAUTHY_[A-Z_]+\b/g) ?? [];
        should(named.filter((code) => code !== 'AUTHY_API_KEY' && !codes.includes(code))).be.empty();
      }
    }
  });

  for (const language of languages) {
    for (const type of types) {
      it(`${language}/${type}: has an item for each of several outputs, by its label`, () => {
        const outputs = outcomesByOutput(type);
        const items = helpOf(language, type).querySelectorAll('ol.node-ports > li');
        should(items).have.length(outputs.length > 1 ? outputs.length : 0);
        for (const [index, item] of items.entries()) {
          const label = textsOf(language, type).get(`${type}.output.${outputs[index]?.[0] ?? ''}`);
          should(item.childNodes[0]?.text.trim()).equal(label);
        }
      });
    }

    it(`${language}: the callback's help names every reason for a rejection`, () => {
      const reasons = declaredIn(read('nodes', 'lib', 'onetouch', 'callback.ts'), 'Rejection');
      const terms = termsIn(helpOf(language, 'authy-onetouch-callback').querySelectorAll('dl'));
      const named = terms.map(({ name }) => name);
      should(reasons.filter((reason) => !named.includes(reason))).be.empty();
    });

    it(`${language}: the account's help names each of its settings by its label`, () => {
      const texts = textsOf(language, 'authy-config');
      const { definition } = panelOf('authy-config');
      const settings = [...Object.keys(definition.defaults), ...Object.keys(definition.credentials ?? {})];
      const terms = termsIn(helpOf(language, 'authy-config').querySelectorAll('dl'));
      const labels = settings
        .filter((setting) => setting !== 'name')
        .map((name) => texts.get(`authy-config.label.${name}`));
      should(terms.map(({ name }) => name).sort()).deepEqual(labels.sort());
    });
  }

  for (const language of translations) {
    for (const type of types) {
      it(`${language}/${type}: says as much as the English help`, () => {
        const outline = (of: string) => {
          const help = helpOf(of, type);
          const count = (selector: string) => help.querySelectorAll(selector).length;
          // The account's terms are labels, which are translated.
          const terms = type === 'authy-config' ? [] : termsIn(help.querySelectorAll('dl'));
          return {
            headings: count('h3'),
            subheadings: count('h4'),
            paragraphs: count('p'),
            terms: terms.map(({ name, isOptional }) => ({ name, isOptional })),
            code: help
              .querySelectorAll('code')
              .map(({ text }) => text.replace(/\s+/g, ' '))
              .sort(),
            links: help.querySelectorAll('a').map((link) => link.getAttribute('href')),
          };
        };
        should(outline(language)).deepEqual(outline('en-US'));
      });
    }
  }
});

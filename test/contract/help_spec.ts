import path from 'node:path';
import should from 'should';
import { type HTMLElement, NodeType, parse } from 'node-html-parser';
import type { Outcome } from '../../nodes/lib/approval/outcome';
import type { Notification } from '../../nodes/lib/contract/notification';
import { operations } from '../../nodes/lib/contract/operations';
import type { OperationName, ResultOf } from '../../nodes/lib/contract/results';
import { endpoints } from '../../nodes/lib/services/authy/endpoints';
import { helpsIn } from '../../scripts/help';
import {
  declaredIn,
  inputsOf,
  operationsByType,
  otherNodes,
  outcomesByOutput,
  panelOf,
  read,
  root,
  types,
} from './panels';
import { languages, textsOf, translations } from './catalogues';

const names = Object.keys(operations) as OperationName[];

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

/** Whether a call may be sent twice. What Authy does not do, another service does. */
function repeatOf(name: OperationName): string {
  // An import makes an authenticator.
  if (name === 'userImport') return 'never';
  return name === 'userInvite' ? 'repeatable' : endpoints[name].repeat;
}

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
    identity: 'string | null',
  },
  userUpdate: { authyId: 'string', email: 'string' },
  userDelete: { authyId: 'string', deleted: 'boolean' },
  userExport: {
    authyId: 'string',
    phoneNumber: 'string',
    countryCode: 'string',
    totpSecret: 'string | null',
    token: 'string | null',
  },
  userImport: {
    authyId: 'string',
    phoneNumber: 'string',
    countryCode: 'string',
    authenticator: 'string | null',
  },
  userInvite: { authyId: 'string', url: 'string', qrCode: 'string', expiresAt: 'string' },
  userQr: {
    authyId: 'string',
    qrCode: 'string',
    label: 'string | null',
    issuer: 'string | null',
    recoveryCodes: 'array | null',
  },
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

/** The same of what the approval gate sends on, and of its events. */
const decision: Record<string, string> & {
  readonly [M in 'decision' | 'reason' | 'decidedBy' | 'device']: Words<Outcome[M]>;
} = {
  decision: 'string',
  reason: 'string | null',
  approvalId: 'string',
  authyId: 'string',
  requestedAt: 'string',
  decidedAt: 'string',
  decidedBy: 'string',
  device: 'object | null',
};
const event: Record<string, string> = {
  event: 'string',
  decision: 'string',
  approvalId: 'string',
  authyId: 'string',
  requestedAt: 'string',
  endsAt: 'string',
  waiting: 'number',
};

/** The same of what the notifications node hands on. */
const notification: {
  readonly [M in Exclude<keyof Notification, 'topic'>]-?: Words<NonNullable<Notification[M]>>;
} = {
  title: 'string',
  text: 'string',
  to: 'object',
  via: 'string',
  url: 'string',
  expiresAt: 'number',
  account: 'string',
};

/** The members of a payload as a message has them. */
function inPayload(members: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(members).map(([name, words]) => [`payload.${name}`, words]));
}

/** The members of the message that each node sends on, with their types. */
const messages = new Map<string, Record<string, string>>([
  ...(Object.entries(operations) as [OperationName, (typeof operations)[OperationName]][]).map(
    ([name, { node, carries }]) => [node, messageWith(results[name], carries)] as const,
  ),
  ['authy-onetouch-approval', messageWith(decision, ['approvalId', 'authyId'])],
]);

function messageWith(
  payload: Readonly<Record<string, string>>,
  carries: readonly string[],
): Record<string, string> {
  const carried = Object.fromEntries(carries.map((name) => [name, 'string']));
  return { ...inPayload(payload), ...carried, authy: 'object' };
}

/** A term of a help, such as `authyId`: what it is called, and the `<dd>` that explains it. */
interface Term {
  name: string;
  type: string;
  isOptional: boolean;
  explained: HTMLElement;
}

const helps = new Map<string, Map<string, string>>();

/** The help of a node as it is built. */
function helpOf(language: string, type: string): HTMLElement {
  const known = helps.get(language) ?? helpsIn(path.join(root, 'locales', language));
  helps.set(language, known);
  const found = parse(known.get(type) ?? '').querySelectorAll('script');
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

function typesOf(terms: readonly Term[]): Record<string, string> {
  return Object.fromEntries(terms.map(({ name, type }) => [name, type]));
}

/** The sections of a help, each of which folds: its heading, and what is below it. */
function sectionsOf(help: HTMLElement): HTMLElement[][] {
  return help.children.filter(({ rawTagName }) => rawTagName === 'details').map(({ children }) => children);
}

function headingsOf(help: HTMLElement): string[] {
  return sectionsOf(help).map(([heading]) => heading?.text ?? '');
}

/** What a help shows as its example: what comes in, if anything, and what goes out or how an account is set. */
function exampleIn(help: HTMLElement, type: string): { in?: Message | undefined; out: Message } {
  const shown = help.querySelectorAll('pre').map(({ text }) => JSON.parse(text) as Message);
  const hasInput = type !== 'authy-config' && otherNodes[type]?.isSource !== true;
  should(shown).have.length(hasInput ? 2 : 1);
  return { in: hasInput ? shown[0] : undefined, out: shown.at(-1) ?? {} };
}

type Message = Readonly<Record<string, unknown>>;

/** What a property of a message holds, such as `payload.token`. */
function propertyOf(message: Message, property: string): unknown {
  return property
    .split('.')
    .reduce<unknown>((at, name) => (at instanceof Object ? (at as Message)[name] : undefined), message);
}

describe('contract: help', () => {
  for (const type of types) {
    it(`${type}: says what it does and when to use it, shows an example, and has the usual parts`, () => {
      const help = helpOf('en-US', type);
      const begin = help.children.slice(0, -headingsOf(help).length).map(({ rawTagName }) => rawTagName);
      const pair = ['p', 'pre'];
      const example = otherNodes[type]?.isSource === true ? pair : [...pair, ...pair];
      should(begin).deepEqual(['p', 'p', 'h4', 'p', ...(type === 'authy-config' ? ['pre'] : example)]);
      const [what = '', when = ''] = help.children.map(({ text }) => text.trim().replace(/\s+/g, ' '));
      // Three lines of the palette's tooltip.
      should(what.length).be.within(20, 150);
      should(when.length).be.within(20, 200);
      const ofNode = otherNodes[type]?.isSource === true ? ['Outputs'] : ['Inputs', 'Outputs'];
      const parts = type === 'authy-config' ? ['Properties'] : ofNode;
      should(headingsOf(help)).deepEqual([...parts, 'Details', 'References']);
      should(help.querySelectorAll('b, i, strong, em, h3')).be.empty();
    });

    it(`${type}: is short enough to be read beside the flow`, () => {
      const wordsIn = (text: string) => text.trim().split(/\s+/).length;
      const help = helpOf('en-US', type);
      for (const example of help.querySelectorAll('pre')) example.remove();
      // The account has an entry for each of its settings, and there are many.
      const [settings] = type === 'authy-config' ? sectionsOf(help) : [];
      const ofSettings = (settings ?? []).reduce((sum, { text }) => sum + wordsIn(text), 0);
      should(wordsIn(help.text) - ofSettings).be.below(900);
    });

    it(`${type}: shows a message that the node accepts`, () => {
      const { in: message = {} } = exampleIn(helpOf('en-US', type), type);
      const inputs = Object.entries(inputsOf(type)).filter(([, input]) => input.default[1] === 'msg');
      const values: Record<string, unknown> = {};
      for (const [name, input] of inputs) {
        const value = propertyOf(message, input.default[0]);
        if (value !== undefined) values[name] = input.parse(value, name);
        should(value !== undefined || !input.required).be.true(`msg.${input.default[0]} is missing`);
      }
      operationsByType.get(type)?.check?.(values);
      // What the node does not read would be beside the point.
      const properties = inputs.map(([, input]) => input.default[0].split('.')[0]);
      const known = type === 'authy-onetouch-callback' ? ['req'] : properties;
      should(Object.keys(message).filter((property) => !known.includes(property))).be.empty();
    });

    it(`${type}: links to https only, in a window of its own`, () => {
      for (const link of helpOf('en-US', type).querySelectorAll('a:not([data-authy-example])')) {
        should(link.getAttribute('href')).match(/^https:\/\//);
        should(link.getAttribute('target')).equal('_blank');
      }
    });
  }

  for (const [type, message] of messages) {
    const inputs = inputsOf(type);
    const orders = otherNodes[type]?.orders ?? [];

    it(`${type}: names every input, whether it is optional, and where it is read from`, () => {
      const [section = []] = sectionsOf(helpOf('en-US', type));
      const terms = termsIn(section);
      should(terms.map((term) => term.name).sort()).deepEqual(
        [...Object.keys(inputs), 'requestTimeout', ...orders].sort(),
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
      should(typesOf(termsIn(section))).deepEqual(message);
    });

    it(`${type}: tells of the errors, and of what is never done twice`, () => {
      const text = helpOf('en-US', type).text;
      // A gate sends as the operation does that only sends.
      const name = names.find((each) => operations[each].node === type) ?? 'onetouchSend';
      const repeat = repeatOf(name);
      should(text).containEql('msg.error.code');
      should(/never sent\s+twice/.test(text)).equal(repeat === 'never');
      should(text.includes('AUTHY_OUTCOME_UNKNOWN')).equal(repeat === 'never');
    });
  }

  it('authy-notifications: names every member of the message that it begins, with its type', () => {
    const [section = []] = sectionsOf(helpOf('en-US', 'authy-notifications'));
    const terms = termsIn(section);
    should(typesOf(terms)).deepEqual({ topic: 'string', ...inPayload(notification) });
    should(terms.filter(({ isOptional }) => isOptional).map(({ name }) => name)).deepEqual([
      'payload.via',
      'payload.url',
      'payload.expiresAt',
    ]);
  });

  it('authy-onetouch-approval: names every member of an event, with its type', () => {
    const items = helpOf('en-US', 'authy-onetouch-approval').querySelectorAll('ol.node-ports > li');
    should(typesOf(termsIn(items.at(-1)?.children ?? []))).deepEqual(inPayload(event));
  });

  it('authy-onetouch-approval: sends these members and no others', () => {
    const payloads = read('nodes', 'lib', 'approval', 'approval-node.ts').matchAll(
      /\bpayload = \{\n([^}]*)\};/g,
    );
    const members = [...payloads].map(([, body = '']) =>
      [...body.matchAll(/^ +(\w+)[:,]/gm)].map(([, name]) => name),
    );
    should(members).deepEqual([Object.keys(decision), Object.keys(event)]);
  });

  it('names error codes that there are', () => {
    const codes = declaredIn(read('nodes', 'lib', 'contract', 'errors.ts'), 'AuthyErrorCode');
    for (const language of languages) {
      for (const type of types) {
        const named = helpOf(language, type).text.match(/\bAUTHY_[A-Z_]+\b/g) ?? [];
        should(named.filter((code) => code !== 'AUTHY_API_KEY' && !codes.includes(code))).be.empty();
      }
    }
  });

  for (const language of languages) {
    for (const type of types) {
      it(`${language}/${type}: explains each member of what its example shows`, () => {
        const help = helpOf(language, type);
        const { in: message = {}, out } = exampleIn(help, type);
        const explained = termsIn(help.querySelectorAll('dl')).map(({ name }) => name);
        const members = Object.entries(out).flatMap(([name, value]) =>
          name === 'payload' ? Object.keys(value as object).map((member) => `payload.${member}`) : name,
        );
        const shown = members.filter((name) => !(name in message));
        should(shown).not.be.empty();
        should(shown.filter((name) => !explained.includes(name))).be.empty();
      });

      it(`${language}/${type}: offers an example to import, and ends with pages of the documentation`, () => {
        const help = helpOf(language, type);
        const links = sectionsOf(help).at(-1)?.[1]?.querySelectorAll('a') ?? [];
        const example = help.querySelector('h4 + p > a');
        const name = example?.getAttribute('data-authy-example') ?? '';
        should(example?.text).containEql(name);
        const nodes = JSON.parse(read('examples', `${name}.json`)) as { type: string }[];
        // The editor shows the flow that it has imported.
        should(nodes.map((node) => node.type)).containDeep([type, 'tab']);
        const pages = links.flatMap((link) => {
          const [, page] = /\/blob\/main\/docs\/(.*)$/.exec(link.getAttribute('href') ?? '') ?? [];
          return page ?? [];
        });
        should(pages).not.be.empty();
        for (const page of pages) should(read('docs', page)).startWith('# ');
        // A page is named only where it can be opened.
        should(/README|CONTRIBUTING|\.md\b/.test(help.text)).be.false();
      });

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

    it(`${language}/authy-onetouch-approval: names every reason why a request expired`, () => {
      const reasons = declaredIn(read('nodes', 'lib', 'approval', 'outcome.ts'), 'ExpiryReason');
      const named = helpOf(language, 'authy-onetouch-approval')
        .querySelectorAll('code')
        .map(({ text }) => text);
      should(reasons.filter((reason) => !named.includes(reason))).be.empty();
    });

    it(`${language}: the account's help names each of its settings by its label`, () => {
      const texts = textsOf(language, 'authy-config');
      const { definition } = panelOf('authy-config');
      const settings = [...Object.keys(definition.defaults), ...Object.keys(definition.credentials ?? {})];
      const terms = termsIn(helpOf(language, 'authy-config').querySelectorAll('dl'));
      const labels = settings
        // The version is no row, the simulator is one of the choices of the service, and both services have a base URL.
        .filter((setting) => !['name', 'version', 'simulated', 'verifyBaseUrl'].includes(setting))
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
            headings: count('summary'),
            subheadings: count('h4'),
            examples: count('pre'),
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

import { apiKeyProblem } from '../../nodes/lib/services/authy/api-key';
import should from 'should';
import type { AnyNode } from 'acorn';
import { AuthyError } from '../../nodes/lib/contract/errors';
import { serviceAddress } from '../../nodes/lib/http/transport';
import { isPublicUrl } from '../../nodes/lib/server/request-address';
import { type Input, languages, operations } from '../../nodes/lib/contract/operations';
import type { Abilities, AccountReader, ServiceKind } from '../../nodes/lib/contract/service';
import { unmetNeed, unsupportedBy } from '../../nodes/lib/contract/support';
import { approverProperties, approverSettings } from '../../nodes/lib/people/approver-settings';
import { serviceIds, serviceKind } from '../../nodes/lib/services/registry';
import { memoryService } from '../support/memory_service';
import { readInputs } from '../../nodes/lib/contract/read-inputs';
import { numbers, Settings } from '../../nodes/lib/node/settings';
import {
  callsOf,
  definitionOn,
  type Definition,
  editorPlugin,
  exists,
  filesOf,
  inputsOf,
  literal,
  manifest,
  operationsByType,
  otherNodes,
  outcomesByOutput,
  panelOf,
  propertiesOf,
  read,
  types,
  unnamed,
} from './panels';

/** What a TypedInput can be; the editor shows nothing for any other. */
const typedInputTypes = ['msg', 'flow', 'global', 'str', 'num', 'bool', 'json', 'list', 'env', 'jsonata'];

const paletteTypes = types.filter((type) => type !== 'authy-config');

describe('contract: files, package.json and the table of operations', () => {
  it('package.json lists every panel, every node file and every operation', () => {
    const plugins = Object.keys(manifest['node-red'].plugins);
    const panels = filesOf('nodes', '.html').filter((file) => !plugins.includes(file.replace('.html', '')));
    const modules = filesOf('nodes', '.ts');
    const known = [...operationsByType.keys(), ...Object.keys(otherNodes)];
    const listed = [...types].sort();
    should(panels.map((file) => file.replace('.html', ''))).deepEqual(listed);
    should(modules.map((file) => file.replace('.ts', ''))).deepEqual(listed);
    should(known.sort()).deepEqual(listed);
  });

  it('the account comes first, and each entry names the built file', () => {
    should(types[0]).equal('authy-config');
    for (const [type, file] of Object.entries(manifest['node-red'].nodes))
      should(file).equal(`dist/${type}.js`);
    const plugins = Object.entries(manifest['node-red'].plugins);
    // The others use it.
    should(plugins[0]?.[0]).equal('authy-editor');
    for (const [name, file] of plugins) should(file).equal(`dist/${name}.html`);
  });

  for (const [name, { node }] of Object.entries(operations)) {
    it(`${node}.ts runs the operation ${name}`, () => {
      should(read('nodes', `${node}.ts`)).containEql(`operationNode('${name}')`);
    });
  }

  it('each node has one icon of its own, and there is no other', () => {
    const icons = paletteTypes.map((type) => panelOf(type).definition.icon);
    should(icons.sort()).deepEqual(filesOf('icons', '.svg'));
  });
});

/** Fixed values as people type them, right for some input and wrong for others. */
const fixedValues = [
  ...['1', '0', '01', '7', '300', '2000', '2001', '86400', '31536000', '31536001', '1.5', '-1', '12 34'],
  ...['1234', '123456', '1234567', '0123456', '123456789012', '1234567890123', '123456789012345678901'],
  ...['+1', '+44', '+12345', '+13175550123', '317-555-0123', '(317) 555-0123', '317-555-', '0x10'],
  ...['4a725520-bff5-0135-eb01-0e5d90336a8c', '4A725520-BFF5-0135-EB01-0E5D90336A8C', '4a725520-bff5'],
  ...['user@example.com', 'user@', 'a@b', 'a b@example.com', 'u'.repeat(250) + '@example.com'],
  ...[
    'de',
    'pt-BR',
    'xx',
    'de-DE',
    'en-US',
    'zh-TW',
    'xx-DE',
    'de-XXX',
    'DE',
    'de_DE',
    'sms',
    'call',
    ' ',
    'Open the door?',
    'Your code is {{code}}',
    '{{ code }}',
  ],
  ...[144, 145, 200, 201, 255, 256, 1000].map((length) => 'x'.repeat(length)),
  ...['{{code}}' + 'x'.repeat(992), '{{code}}' + 'x'.repeat(993)],
  // As JavaScript counts, there are twice as many.
  ...[73, 144, 145, 255, 256].map((length) => '🔑'.repeat(length)),
];

const row = (name: string, value: string): { name: string; value: string; type: string } => ({
  name,
  value,
  type: 'str',
});

/** Lists as the panels write them. */
const lists = [
  [],
  [row('Door', 'Garage')],
  [row('', 'Garage')],
  [row(' ', 'Garage')],
  [row('x'.repeat(20), 'y'.repeat(200))],
  [row('x'.repeat(21), 'y')],
  [row('x'.repeat(200), 'y')],
  [row('x'.repeat(201), 'y')],
  [row('x', 'y'.repeat(201))],
  [row('🔑'.repeat(20), '🔑'.repeat(200))],
  [row('🔑'.repeat(21), 'y')],
  [row('x', '🔑'.repeat(201))],
  [row('default', 'https://example.com/logo.png')],
  [row('default', 'https://example.com/logo.png'), row('low', 'http://example.com/low.png')],
  [row('low', 'https://example.com/logo.png')],
  [row('default', 'logo.png')],
  [row('default', 'https://')],
].map((rows) => JSON.stringify(rows));

/** Settings that are no plain numbers, or blank. */
const oddNumbers = [
  '',
  undefined,
  null,
  'abc',
  '007',
  '1e1',
  '0x10',
  ' 5',
  '5 ',
  '+5',
  '-1',
  '1.',
  '.5',
  '1,5',
  'NaN',
];

const keys = [
  ...['', '  ', 'short', 'fifteen-letters', 'sixteen-letters!', ' sixteen-letters! ', 'x'.repeat(32)],
  ...[
    'with a blank in it',
    'with\ta tab in it!',
    'schlüsselschlüssel',
    'with-${NAME}-in-it',
    'with-$(NAME)-in-it',
  ],
  'costs-$5-{and}-(more)',
];

/** As the runtime evaluates a fixed number: in plain digits, or not at all. */
function numberOf(value: string): number {
  if (String(Number(value)) !== value) throw new Error('It is not a number in plain digits.');
  return Number(value);
}

function entriesOf(list: string): [string, string][] {
  return (JSON.parse(list) as { name: string; value: string }[]).map(({ name, value }) => [name, value]);
}

/** In place of an input that is not there. */
const never: Input<unknown> = {
  required: true,
  default: ['', 'str'],
  parse() {
    throw new Error('There is no such input.');
  },
};

for (const type of types) {
  const isConfig = type === 'authy-config';
  const prefix = isConfig ? 'node-config-input-' : 'node-input-';

  describe(`contract: the panel of ${type}`, () => {
    it('can be read by the Flow Library: one literal registration', () => {
      const { script } = panelOf(type);
      const [call, ...others] = callsOf(script, 'RED.nodes.registerType');
      should(others).be.empty();
      const [registeredType, definition] = call?.arguments ?? [];
      should(literal(registeredType)).equal(type);
      should(definition?.type).equal('ObjectExpression', 'the definition must be written out in the call');
      if (definition?.type !== 'ObjectExpression') return;

      const properties = propertiesOf(definition);
      should(notLiteral(properties, ['category'])).be.empty();
      if (!isConfig) should(notLiteral(properties, ['color', 'icon', 'inputs', 'outputs'])).be.empty();
      const defaults = properties.get('defaults');
      if (defaults?.type !== 'ObjectExpression') throw new Error('The defaults must be written out.');
      for (const [property, value] of propertiesOf(defaults)) {
        if (value.type !== 'ObjectExpression')
          throw new Error(`The default of ${property} must be written out.`);
        should(notLiteral(propertiesOf(value), ['value'])).be.empty();
      }
    });

    it('has the properties that the runtime reads', () => {
      const { definition } = panelOf(type);
      const found = Object.fromEntries(
        Object.entries(definition.defaults).map(([property, { value }]) => [property, value]),
      );
      const { settings = ['account'], credentials } = otherNodes[type] ?? {};
      const inputs: Record<string, unknown> = {};
      for (const [input, { default: typed }] of Object.entries(inputsOf(type))) {
        [inputs[input], inputs[`${input}Type`]] = typed;
      }
      should(Object.keys(found).sort()).deepEqual(['name', ...settings, ...Object.keys(inputs)].sort());
      const expected = { name: '', ...('account' in found ? { account: '' } : {}), ...inputs };
      should({ ...found, ...expected }).deepEqual(found);
      should(Object.keys(definition.credentials ?? {}).sort()).deepEqual([...(credentials ?? [])].sort());
    });

    it('says what is missing or wrong before anything is deployed', () => {
      const { defaults } = panelOf(type).definition;
      if (!isConfig) {
        should(defaults['account']).containDeep({ type: 'authy-config', required: true });
        should(defaults['account']?.label).be.a.String();
      }
      for (const [input, { required }] of Object.entries(inputsOf(type))) {
        const property = defaults[input];
        should(property?.required ?? false).equal(required, `defaults.${input}.required`);
        should(property?.validate).be.a.Function();
        should(property?.label).be.a.String();
      }
      for (const [name, { validate }] of Object.entries(defaults)) {
        // With fewer parameters a reason would count as "right".
        if (validate !== undefined && !(name in inputsOf(type))) {
          should(validate.length).equal(2, `defaults.${name}.validate`);
        }
      }
    });

    it('refuses the fixed values that the runtime refuses, and no other', () => {
      const { definition, form } = panelOf(type);
      for (const [input, { parse, ofEntries }] of Object.entries(inputsOf(type))) {
        const offered =
          form.querySelector(`#${prefix}${input}`)?.getAttribute('data-types')?.split(',') ?? [];
        const values = ofEntries === undefined ? fixedValues : lists;
        for (const fixed of ['str', 'num', 'list'].filter((name) => offered.includes(name))) {
          for (const value of values) {
            const { validate } = definition.defaults[input] as { validate: (...args: unknown[]) => unknown };
            const verdict = validate.call({ [`${input}Type`]: fixed }, value, { label: input });
            let isAccepted = true;
            try {
              if (ofEntries) parse(ofEntries(entriesOf(value)), input);
              else if (fixed === 'num') parse(numberOf(value), input);
              else parse(value, input);
            } catch {
              isAccepted = false;
            }
            should(verdict === true).equal(isAccepted, `${input}, ${fixed} ${value}: ${String(verdict)}`);
          }
        }
      }
    });

    it('refuses a fixed phone number without + and without its country, as the runtime does', () => {
      const { defaults } = panelOf(type).definition;
      const inputs = inputsOf(type);
      if (!('phoneNumber' in inputs)) return;
      const { countryCode = never, phoneNumber = never } = inputs;
      const { validate } = defaults['countryCode'] as { validate: (...args: unknown[]) => unknown };
      for (const number of ['+13175550123', '317-555-0123', '(317) 555-0123', '${PHONE}']) {
        for (const code of ['', '1', '44x']) {
          const node = { phoneNumber: number, phoneNumberType: 'str', countryCodeType: 'str' };
          const verdict = validate.call(node, code, { label: 'countryCode' });
          let isAccepted = true;
          try {
            // The runtime is given the variable's value.
            const given = number.startsWith('$') ? '+13175550123' : number;
            readInputs({ inputs: { phoneNumber, countryCode } }, { phoneNumber: given, countryCode: code });
          } catch {
            isAccepted = false;
          }
          should(verdict === true).equal(isAccepted, `${number}, ${code}: ${String(verdict)}`);
        }
      }
    });

    it('refuses the settings that the runtime refuses, and no other', () => {
      const { defaults, credentials = {} } = panelOf(type).definition;
      for (const name of Object.keys(numbers) as (keyof typeof numbers)[]) {
        const property = defaults[name];
        if (property === undefined) continue;
        const { fallback, least, most } = numbers[name];
        should(property.value).equal(fallback, name);
        const edges = [least, least - 1, most, most + 1, most + 0.5, 2 ** 31, 1e21, 1.5, 7];
        for (const value of [...edges, ...edges.map(String), ...oddNumbers]) {
          const settings = new Settings();
          settings.number(name, value);
          const verdict = property.validate?.call(unnamed, value, { label: name });
          should(verdict === true).equal(settings.problem === undefined, `${name}, ${String(value)}`);
        }
      }
      for (const [name, { type: kind, validate }] of Object.entries(credentials)) {
        if (!name.endsWith('ApiKey') && name !== 'apiKey') continue;
        should(kind).equal('password');
        should(validate?.length).equal(2);
        for (const key of keys) {
          const settings = new Settings();
          settings.key(name, key, apiKeyProblem);
          const verdict = validate?.call(unnamed, key, { label: name });
          // On Authy, which an account without a service is on, it is needed.
          const isMissing = name === 'apiKey' && key.trim() === '';
          should(verdict === true).equal(settings.problem === undefined && !isMissing, `${name}, ${key}`);
        }
        // What stands for a stored one, and what Node-RED puts a variable in the place of.
        for (const other of ['__PWRD__', '${AUTHY_API_KEY}', '$(AUTHY_API_KEY)']) {
          should(validate?.call(unnamed, other, { label: name })).be.true();
        }
      }
    });

    it('has a row for each property, and a label for each row', () => {
      const { form, definition } = panelOf(type);
      const ids = form.querySelectorAll('[id]').map(({ id }) => id);
      const properties = [...Object.keys(definition.defaults), ...Object.keys(definition.credentials ?? {})];
      should(properties.filter((property) => !ids.includes(prefix + property))).eql(
        isConfig ? ['version'] : [],
      );
      should(ids.filter((id, index) => ids.indexOf(id) !== index)).be.empty();

      const labels = form.querySelectorAll('label');
      const labelled = labels.map((label) => label.getAttribute('for'));
      // A label without `for` only keeps its place in a row, and says nothing.
      should(
        labels.filter((label) => !label.hasAttribute('for') && label.innerHTML.trim() !== ''),
      ).be.empty();
      should(labelled.filter((id) => id !== undefined && !ids.includes(id))).be.empty();
      const fields = form
        .querySelectorAll('input:not([type="hidden"]), select, textarea')
        .filter((field) => field.closest('[hidden]') === null)
        .map(({ id }) => id);
      should(fields.filter((id) => !labelled.includes(id))).be.empty();
    });

    it('says of each TypedInput what it may be', () => {
      const { form, definition } = panelOf(type);
      const inputs = Object.keys(definition.defaults).filter((name) => `${name}Type` in definition.defaults);
      should(
        form
          .querySelectorAll('[data-types]')
          .map(({ id }) => id.replace(prefix, ''))
          .sort(),
      ).deepEqual(inputs.sort());
      for (const input of inputs) {
        const field = form.querySelector(`#${prefix}${input}`);
        const offered = field?.getAttribute('data-types')?.split(',') ?? [];
        should(offered.filter((name) => !typedInputTypes.includes(name))).be.empty();
        should(offered).containEql(definition.defaults[`${input}Type`]?.value);
        should(form.querySelector(`#${prefix}${input}Type`)?.getAttribute('type')).equal('hidden');
        if (input in inputsOf(type)) {
          should(offered).containDeep(['msg', 'flow', 'global', 'env', 'jsonata']);
        }

        const words = wordsOf(type, input);
        const options = field?.hasAttribute('data-languages')
          ? editorPlugin.languages
          : field?.getAttribute('data-options')?.split(',');
        should(options).deepEqual(words, `the words on offer for ${input}`);
        // Otherwise the widget puts the first word in the place of none.
        const mayBeBlank = field?.hasAttribute('data-options') && inputsOf(type)[input]?.required === false;
        should(field?.hasAttribute('data-blank')).equal(mayBeBlank, `what a blank ${input} is called`);
        should(offered.includes('list')).equal(inputsOf(type)[input]?.ofEntries !== undefined);
      }
    });

    it('draws no colour but that of the node', () => {
      const { source, definition } = panelOf(type);
      const colours = source.match(/#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})\b|\b(?:rgb|hsl)a?\(/gi) ?? [];
      should(colours).deepEqual(definition.color === undefined ? [] : [definition.color]);
    });

    if (isConfig) return;

    it('belongs to the family', () => {
      const { definition } = panelOf(type);
      const [first] = paletteTypes.map((other) => panelOf(other).definition);
      const family = ({ category, categoryDescription, color }: Definition) => ({
        category,
        categoryDescription,
        color,
      });
      should(family(definition)).deepEqual(family(first as Definition));
      should(definition.icon).equal(`${type}.svg`);
      should(exists('icons', `${type}.svg`)).be.true();
    });

    it('has an output and a label for each outcome', () => {
      const { definition } = panelOf(type);
      const outputs = outcomesByOutput(type);
      const more = otherNodes[type]?.moreOutputs?.length ?? 0;
      should(definition.inputs).equal(otherNodes[type]?.isSource === true ? 0 : 1);
      should(definition.outputs).equal(outputs.length - more);
      // The editor takes the number of a node's outputs from there, where it may change.
      should(definition.defaults['outputs']?.value).equal(more > 0 ? definition.outputs : undefined);
      const labels = outputs.map((_outcomes, index) => definition.outputLabels?.call(unnamed, index));
      should(labels).deepEqual(outputs.map(([outcome]) => `${type}.output.${outcome ?? ''}`));
    });

    it('is labelled by its name, or else as in the palette', () => {
      const { definition } = panelOf(type);
      should(definition.paletteLabel.call(unnamed)).equal(`${type}.paletteLabel`);
      should(definition.label.call(unnamed)).equal(`${type}.paletteLabel`);
      should(definition.label.call({ ...unnamed, name: 'mine' })).equal('mine');
    });

    it('is prepared by the shared editor plugin', () => {
      should(callsOf(panelOf(type).script, 'AuthyEditor.prepare')).have.length(1);
    });
  });
}

it('contract: the panel of a callback refuses the public URLs that the runtime refuses, and those with a query', () => {
  const { validate } = panelOf('authy-onetouch-callback').definition.defaults['publicUrl'] as {
    validate: (...args: unknown[]) => unknown;
  };
  for (const value of [
    ...['https://example.com', 'https://example.com/', 'http://127.0.0.1:1880/authy/callback', 'HTTPS://a/b'],
    ...['https://[::1]:8443/cb', 'https://[::1/cb', 'https://', 'https:///cb', 'example.com/cb', '/cb', ' '],
    ...['ftp://example.com/cb', 'https://example.com/a b', ' https://example.com/cb', 'https://a b/cb'],
    ...['https://${HOST}/cb', 'https://$(HOST)/cb', 'https://example.com/${PATH}', 'https://example.com/$1'],
    ...[
      'https://example.com:port/cb',
      'https://example.com/#cb',
      'javascript:alert(1)',
      'https://ü.example/cb',
    ],
  ]) {
    const verdict = validate.call({ publicUrlType: 'str' }, value, { label: 'Public URL' });
    should(verdict === true).equal(isPublicUrl(value), `${value}: ${String(verdict)}`);
  }
  const withQuery = validate.call({ publicUrlType: 'str' }, 'https://example.com/cb?a=1', { label: '' });
  should(withQuery).not.equal(true);
});

it('contract: an account with a simulator says so wherever its name stands', () => {
  const { label } = panelOf('authy-config').definition;
  const labelled = (account: object): unknown => label.call({ ...unnamed, name: 'Garage', ...account });
  for (const service of ['authy', 'verify']) {
    should(labelled({ service, simulated: true })).equal('Garage · status.simulator');
    should(labelled({ service, simulated: false })).equal('Garage');
  }
  should(labelled({ service: 'simulator' })).equal('Garage · status.simulator');
  should(labelled({ service: 'local', simulated: false })).equal('Garage');
});

it('contract: the panel of an account refuses the base URLs that the runtime refuses with every key', () => {
  const { defaults } = panelOf('authy-config').definition;
  const accepts = (url: string): boolean => {
    try {
      return serviceAddress(url, '', 'simulator-0123456789abcdef') !== '';
    } catch {
      return false;
    }
  };
  for (const host of [
    ...[
      'api.authy.com',
      'localhost:4730',
      '127.0.0.1',
      '127.1',
      '[::1]:80',
      'simulator:8080',
      'nas.local',
      'pc.lan',
    ],
    ...[
      'host.docker.internal',
      'simulator.example.com',
      'local.example',
      'nas.local.',
      '10.0.0.1',
      '172.31.0.1',
    ],
    ...[
      '172.32.0.1',
      '192.168.1.10',
      '192.169.1.10',
      '169.254.169.254',
      '134744072',
      '0x0a000001',
      '[fd00::2]:4730',
    ],
    ...['[2001:db8::1]', '[fe80::1]', 'a:b', 'me@simulator', 'simulator:99999', 'a b'],
  ]) {
    for (const url of [`http://${host}`, `https://${host}/`, `HTTP://${host}/v1`, `http://${host}?a=1`]) {
      for (const [service, setting] of [
        ['authy', 'baseUrl'],
        ['verify', 'verifyBaseUrl'],
        ['verify', 'verifyLookupsUrl'],
      ] as const) {
        const verdict = defaults[setting]?.validate?.call({ service }, url, { label: setting });
        should(verdict === true).equal(accepts(url), `${setting} ${url}: ${String(verdict)}`);
      }
    }
  }
});

describe('contract: the settings of the page on which people answer', () => {
  const urls = [
    ...[
      '',
      ' ',
      '/',
      '/a',
      'https://home.example/approve',
      'https://home.example',
      ' https://home.example/a/ ',
    ],
    ...['http://192.168.1.10:1880/approve', 'http://[::1]:1880/approve', 'http://[::1/approve', 'HTTPS://a'],
    ...['home.example/approve', 'https://', 'https:///approve', 'ftp://home.example', 'javascript:alert(1)'],
    ...['https://me@home.example', 'https://me:secret@home.example', 'https://home.example/?a=1'],
    ...['https://home.example/approve#i', 'https://home.example/approve?', 'https://home.example/a b'],
    ...['https://${HOST}/approve', 'https://$(HOST)/approve', 'https://home.example/$1', ' ${URL} '],
  ];
  const paths = [
    ...['', ' ', '/', '//', '/approve', '/approve/', ' /approve ', 'approve', '/a/b/c/d/e', '/a/b/c/d/e/f'],
    ...['/a_b-c', '/a//b', '/a.b', '/ä', '/a b', '/a?b', '/a#b', '/${NAME}', '/a/../b'],
  ];
  const reader: AccountReader = {
    settings: () => new Settings(),
    tls: () => undefined,
    proxy: () => undefined,
    ownAddress: () => undefined,
  };

  it('are refused where the runtime refuses them, and nowhere else', () => {
    const { defaults } = panelOf('authy-config').definition;
    for (const account of [
      ...['authy', 'verify', 'local'].map((service) => ({ service })),
      ...[true, false].map((verifyPush) => ({ service: 'verify', verifyPush })),
      { service: 'local', verifyPush: true },
      { service: 'verify', simulated: true },
      { service: 'verify', simulated: true, verifyPush: true },
    ]) {
      for (const [setting, values] of [
        ['approverUrl', urls],
        ['approverPath', paths],
      ] as const) {
        for (const value of values) {
          const config = { ...account, [setting]: value };
          const { problem } = serviceKind(account.service)?.read(reader, config, {}) ?? {};
          const verdict = defaults[setting]?.validate?.call(account, value, { label: setting });
          const isAccepted = problem?.includes(`${setting}: `) !== true;
          should(verdict === true).equal(isAccepted, `${JSON.stringify(config)}: ${String(verdict)}`);
        }
        const variable = defaults[setting]?.validate?.call(account, '${NAME}', { label: setting });
        should(variable).be.true();
      }
    }
  });

  it('with the key that the service cannot be asked without, which is missing where the runtime misses it', () => {
    const { defaults, credentials = {} } = panelOf('authy-config').definition;
    const sids = { verifyServiceSid: `VA${'0'.repeat(32)}`, verifyUser: `SK${'0'.repeat(32)}` };
    for (const service of [undefined, ...serviceIds()]) {
      for (const simulated of [false, true, undefined]) {
        const config = { ...sids, service, simulated };
        const kind = serviceKind(service ?? 'authy');
        const isNeeded = kind?.keyProblem?.(kind.read(reader, config, {})) !== undefined;
        const account = { ...config, id: 'account', _def: { credentials } };
        const closed = (given: object): unknown =>
          defaults['version']?.validate?.call({ ...account, ...given }, 2, {});
        const what = JSON.stringify(config);
        should(closed({}) === true).equal(!isNeeded, what);
        should(closed({ credentials: { apiKey: '', verifySecret: '' } }) === true).equal(!isNeeded, what);
        for (const there of [
          { apiKey: '${KEY}', verifySecret: '${KEY}' },
          { has_apiKey: true, has_verifySecret: true },
        ]) {
          should(closed({ credentials: there })).be.true();
        }
        const open = ['apiKey', 'verifySecret'].map((name) =>
          credentials[name]?.validate?.call(account, '', { label: name }),
        );
        should(open.every((verdict) => verdict === true)).equal(!isNeeded, what);
      }
    }
  });

  it('have the default values of the runtime', () => {
    const { defaults } = panelOf('authy-config').definition;
    const settings = Object.fromEntries(approverProperties.map((name) => [name, defaults[name]?.value]));
    should(approverSettings(new Settings(), settings, 'Door')).deepEqual(
      approverSettings(new Settings(), {}, 'Door'),
    );
  });
});

/** Which of the properties are missing or not literal. */
function notLiteral(properties: ReadonlyMap<string, AnyNode>, names: readonly string[]): string[] {
  return names.filter((name) => literal(properties.get(name)) === undefined);
}

/** The words that an input may be, if it is one of a few. */
function wordsOf(type: string, input: string): string[] | undefined {
  try {
    inputsOf(type)[input]?.parse('\0', input);
  } catch (error) {
    if (!(error instanceof AuthyError)) throw error;
    // There are too many languages for an error.
    if (error.message.includes('a tag such as')) return [...languages];
    return / one of (.*)\.$/.exec(error.message)?.[1]?.split(', ');
  }
  return undefined;
}

describe('contract: a panel whose account is on a service that does not do all of it', () => {
  const refuses: Partial<Abilities> = {
    tokenSms: {
      refuses: {
        force: { accepts: [false], reason: 'leave it at false.' },
        action: { reason: 'leave it blank.' },
      },
    },
    onetouchSend: {
      refuses: {
        secondsToExpire: { accepts: [0], atMost: 3600, reason: 'an hour at most.' },
        logos: { reason: 'leave them out.' },
      },
    },
    onetouchStatus: { needs: { setting: 'ourApp', reason: 'Tick the app.' } },
  };
  const kind = memoryService('memory', {}, refuses);
  const accounts = [
    [{}, []],
    [{ ourApp: false }, []],
    // Somebody has edited the flow by hand: not a tick.
    [{ ourApp: 'yes' }, []],
    [{ ourApp: true }, ['ourApp']],
  ] as const;
  const verdictOn = (
    type: string,
    node: Record<string, unknown>,
    property: string,
    value: unknown,
  ): unknown =>
    definitionOn(kind, type).defaults[property]?.validate?.call(
      { type, account: 'account', ...node },
      value,
      { label: property },
    );

  it('says that it does not do what the node is for', () => {
    for (const { node } of Object.values(operations)) {
      const verdict = verdictOn(node, {}, 'account', 'account');
      if (node === 'authy-token-sms' || node === 'authy-onetouch-send') should(verdict).be.true();
      else if (node === 'authy-onetouch-status') should(verdict).equal('account: Tick the app.');
      else should(verdict).match(/^account: Leave out \w+\.$/);
    }
    for (const [chosen, error] of [
      ['gone', 'goneNode'],
      ['_ADD_', 'noAccount'],
    ] as const) {
      should(verdictOn('authy-token-sms', {}, 'account', chosen)).equal(
        `account: @flowauth/node-red-authy/authy-config:common.error.${error}`,
      );
    }
  });

  /** What the panel of a node says against its account; undefined if nothing. */
  function saidOf(type: string, of: ServiceKind, settings: object): unknown {
    const validate = definitionOn(of, type, settings).defaults['account']?.validate;
    const verdict = validate?.call({ type, account: 'account' }, 'account', { label: 'account' });
    return verdict === true ? undefined : verdict;
  }

  for (const [what, needs] of [
    ['a setting that is ticked', { setting: 'ourApp', reason: 'Tick the app.' }],
    ['a setting that is not ticked', { setting: 'ourApp', ticked: false, reason: 'Untick the app.' }],
  ] as const) {
    it(`says that a node needs ${what}, as long as it is otherwise, as the runtime does`, () => {
      const needing = { ...kind, abilities: { ...kind.abilities, onetouchStatus: { needs } } };
      const verdicts = accounts.map(([settings, ticked]) => {
        const reason = unsupportedBy({ ...needing, ticked }, 'onetouchStatus')?.reason;
        const expected = reason === undefined ? undefined : `account: ${reason}`;
        should(saidOf('authy-onetouch-status', needing, settings)).equal(expected);
        return reason;
      });
      should(verdicts.filter((reason) => reason !== undefined)).have.length('ticked' in needs ? 1 : 3);
    });

    it(`says that answers come by HTTP only with ${what}, as the runtime does`, () => {
      const answering = { ...kind, answersByHttp: { needs } };
      for (const [settings, ticked] of accounts) {
        const reason = unmetNeed(needs, ticked);
        const expected = reason === undefined ? undefined : `account: ${reason}`;
        should(saidOf('authy-onetouch-callback', answering, settings)).equal(expected);
      }
    });
  }

  it('says that no answers come by HTTP', () => {
    const silent = { ...kind, answersByHttp: { unsupported: 'Leave it out.' } };
    should(saidOf('authy-onetouch-callback', silent, {})).equal('account: Leave it out.');
    should(saidOf('authy-onetouch-callback', kind, {})).be.undefined();
  });

  it('refuses a value only with the setting that it is refused with, as the runtime does', () => {
    const refusing = memoryService(
      'memory',
      {},
      {
        onetouchSend: {
          refuses: {
            secondsToExpire: { atMost: 3600, ifTicked: 'ourApp', reason: 'an hour at most.' },
            atLeast: { ifTicked: 'ourApp', reason: 'leave it blank.' },
          },
        },
      },
    );
    for (const [settings, ticked] of accounts) {
      const { defaults } = definitionOn(refusing, 'authy-onetouch-send', settings);
      for (const [input, value, type] of [
        ['secondsToExpire', 3601, 'num'],
        ['secondsToExpire', 3600, 'num'],
        ['atLeast', 'passkey', 'str'],
      ] as const) {
        const node = { type: 'authy-onetouch-send', account: 'account', [`${input}Type`]: type };
        const verdict = defaults[input]?.validate?.call(node, String(value), { label: input });
        const reason = unsupportedBy({ ...refusing, ticked }, 'onetouchSend', { [input]: value })?.reason;
        should(verdict).equal(
          reason === undefined || `${input}: ${reason}`,
          `${input}, ${JSON.stringify(settings)}`,
        );
        should(reason !== undefined).equal(ticked.length > 0 && value !== 3600);
      }
    }
  });

  it('refuses the fixed values that the service refuses at run time, and no other', () => {
    for (const [type, name, input, kindOf, values] of [
      ['authy-token-sms', 'tokenSms', 'force', 'bool', [true, false]],
      ['authy-token-sms', 'tokenSms', 'action', 'str', ['', 'login']],
      ['authy-onetouch-send', 'onetouchSend', 'secondsToExpire', 'num', ['', 0, 60, 3600, 3601, 86400]],
    ] as const) {
      for (const value of values) {
        const known = value === '' ? {} : { [input]: value };
        const reason = unsupportedBy(kind, name, known)?.reason;
        const verdict = verdictOn(type, { [`${input}Type`]: kindOf }, input, String(value));
        should(verdict).equal(reason === undefined || `${input}: ${reason}`, `${input}: ${value}`);
      }
      should(verdictOn(type, { [`${input}Type`]: 'msg' }, input, 'payload')).be.true();
    }
    const logos = { logosType: 'list' };
    should(verdictOn('authy-onetouch-send', logos, 'logos', '[]')).be.true();
    should(
      verdictOn(
        'authy-onetouch-send',
        logos,
        'logos',
        JSON.stringify([row('default', 'https://a.example/')]),
      ),
    ).equal('logos: leave them out.');
  });
});

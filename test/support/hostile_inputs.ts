import type { OperationName } from '../../nodes/lib/contract/results';
import type { operations } from '../../nodes/lib/contract/operations';
import type { approvalInputs } from '../../nodes/lib/approval/question';

/** Values that must never get into a URL, whatever a server would make of them. */
export const hostileDigits: readonly unknown[] = [
  '../sms', '..%2fsms', '%2e%2e/sms', '..\\sms', '.', '..', '1234567#', '1234567?x=1', '1234567;x', '%00', '1234567\n',
  '1234567\r', ' 1234567', '1234567 ', '+1234567', '-1234567', '1e6', '0x123456', '１２３４５６７', '١٢٣٤٥٦٧', '¹²³⁴⁵⁶⁷',
  ['1234567'], { toString: () => '1234567' }, true, false, Number.NaN, -0, 1.5, Infinity, -1, 2 ** 53, 10n, Symbol('x'),
  () => '1234567', null, undefined,
]; // prettier-ignore

/** Values of a wrong type for a text, a switch or a word. */
const ofWrongType = [5, 0, Number.NaN, true, ['x'], { toString: () => 'x' }, 10n, Symbol('x'), () => 'x'];
const notAnObject = [5, true, 'x', '{"a"', 10n, Symbol('x'), () => ({}), null, undefined];
const text = (longest: number): unknown[] => [
  ...ofWrongType,
  '   ',
  '\t\n',
  'x'.repeat(longest + 1),
  null,
  undefined,
];
const word = [
  ...ofWrongType,
  'SMS',
  'sms ',
  ' sms',
  'sms\n',
  '../sms',
  '__proto__',
  'constructor',
  'toString',
  null,
  undefined,
];
const flag = [
  1,
  0,
  Number.NaN,
  'yes',
  'TRUE',
  'True',
  'true ',
  '1',
  'on',
  [true],
  {},
  10n,
  Symbol('x'),
  () => true,
];
const integer = (lowest: number, highest: number): unknown[] => [
  lowest - 1, highest + 1, String(highest + 1), 5.5, '5.0', '5.5', '1e1', '0x10', ' 5', '5 ', '+5', '-5', '５', '5\n', 'five',
  Number.NaN, Infinity, 2 ** 53, true, [5], { valueOf: () => 5 }, 10n, Symbol('x'), () => 5, null, undefined,
]; // prettier-ignore
const uuid = [
  ...hostileDigits, '4a725520-bff5-0135-eb01-0e5d90336a8', '4a725520-bff5-0135-eb01-0e5d90336a8g',
  '4a725520bff50135eb010e5d90336a8c', '{4a725520-bff5-0135-eb01-0e5d90336a8c}', '4a725520-bff5-0135-eb01-0e5d90336a8c/../x',
  '4a725520-bff5-0135-eb01-0e5d90336a8c\n',
]; // prettier-ignore
const code = [...hostileDigits, 1234, '123', '12345678901'];
const pairs = [
  ...notAnObject, ['x'], { a: {} }, { a: null }, { a: ['x'] }, { a: Number.NaN }, { '': 'x' }, { ' ': 'x' },
  { ['x'.repeat(10_000)]: 'x' }, { a: 'x'.repeat(10_000) },
]; // prettier-ignore

/** The name of every input of every operation, and of the gate. */
export type InputName =
  | keyof typeof approvalInputs
  | { [N in OperationName]: keyof (typeof operations)[N]['inputs'] }[OperationName];

/**
 * For each input a right value, and the values that have to be refused. Null and undefined mean "not given", which is
 * right for an optional input.
 */
export const inputCorpus: Readonly<Record<InputName, { right: unknown; refused: readonly unknown[] }>> = {
  authyId: { right: '1234567', refused: [...hostileDigits, '0123456', '0', 0, '123456789012345678901', '12345678901234567890x'] },
  token: { right: '0123456', refused: [...hostileDigits, 1234567, '123', '1234567890123'] },
  totpSecret: {
    right: 'JBSWY3DPEHPK3PXP',
    refused: [...ofWrongType, 'JBSWY3DPEHPK3PX', 'jbswy3dpehpk3pxp', 'JBSWY3DPEHPK3PXP====', 'JBSW Y3DP EHPK 3PXP', 'JBSWY3DPEHPK3PX1', 'JBSWY3DPEHPK3PXP\n', 'A'.repeat(129)],
  },
  code: { right: '0123', refused: code },
  customCode: { right: '0123', refused: code },
  approvalId: { right: '4a725520-bff5-0135-eb01-0e5d90336a8c', refused: uuid },
  verificationId: { right: '4a725520-bff5-0135-eb01-0e5d90336a8c', refused: uuid },
  phoneNumber: { right: '+13175550142', refused: [...hostileDigits, 3175550142, '317abc0142', '+1317555014２', '+', '()', '+1317;ext=5', '317-555-014', '+9993175550142', '+5215512345678'] },
  countryCode: { right: '1', refused: [...hostileDigits, 0, '0', '12345', '+', '++1', '1 ', 'US', '+1#'] },
  email: {
    right: 'user@example.com',
    refused: [...ofWrongType, 'user', 'user@', '@example.com', 'a b@example.com', 'user@example..com', 'a@b\r\nBcc:c@d', `${'x'.repeat(251)}@a.b`, null, undefined],
  },
  activity: { right: 'banned', refused: word },
  via: { right: 'sms', refused: [...ofWrongType, 'SMS', 'sms ', 'sms\n', '../sms', '__proto__', 'toString', null, undefined] },
  locale: { right: 'de', refused: [...ofWrongType, 'xx', 'DE', 'de ', '../de', '__proto__'] },
  atLeast: { right: 'passkey', refused: [...ofWrongType, 'PASSKEY', 'passkey ', 'none', '__proto__'] },
  action: { right: 'log in', refused: text(255) },
  actionMessage: { right: 'Log in', refused: text(255) },
  label: { right: 'Home', refused: text(200) },
  customMessage: { right: 'Code: {{code}}', refused: [...text(1000), 'no place for it', '{{ code }}'] },
  message: { right: 'Open?', refused: text(10_000) },
  force: { right: true, refused: flag },
  sendInstallLink: { right: true, refused: flag },
  includeSecret: { right: true, refused: flag },
  size: { right: 300, refused: integer(1, 2000) },
  codeLength: { right: 6, refused: integer(4, 10) },
  timeout: { right: 60, refused: integer(1, 31_536_000) },
  secondsToExpire: { right: 60, refused: integer(0, 31_536_000) },
  details: { right: { Where: 'Home' }, refused: pairs },
  hiddenDetails: { right: { door: '1' }, refused: pairs },
  data: { right: { reason: 'reset' }, refused: [...notAnObject, ['x'], { x: 'x'.repeat(10_001) }] },
  logos: {
    right: [{ res: 'default', url: 'https://example.com/l.png' }],
    refused: [
      ...notAnObject, {}, ['x'], [{ res: 'low', url: 'https://example.com/l.png' }], [{ res: 'default' }],
      [{ res: 'default', url: 'javascript:alert(1)' }], [{ res: 'default', url: 'file:///etc/passwd' }],
      [{ res: ['default'], url: 'https://example.com/l.png' }],
    ],
  },
}; // prettier-ignore

/** One row of a list, as a panel writes it. */
interface Row {
  name: string;
  value: string;
  type: string;
}

const fixed = (name: string, value: string): Row => ({ name, value, type: 'str' });

/** Texts that are not a list of rows. */
const noLists = [
  ...['null', '5', '"x"', '{}', '[', '[1]', '[null]', '[[]]', 'not JSON'],
  ...['[{"name":"a"}]', '[{"name":"a","value":1,"type":"str"}]', '[{"name":null,"value":"x","type":"str"}]'],
];

/** Lists of pairs with a wrong label or text, for labels of at most so many characters. */
function wrongPairs(longest: number): Row[][] {
  return [
    [fixed('', 'x')],
    [fixed(' ', 'x')],
    [fixed('x'.repeat(longest + 1), 'x')],
    [fixed('a', '')],
    [fixed('a', 'x'.repeat(201))],
    [fixed('a', 'x'), fixed('a', 'y')],
    [fixed('a', 'x'), { name: 'b', value: '$sum(', type: 'jsonata' }],
    [{ name: 'a', value: '012', type: 'num' }],
    [{ name: 'a', value: 'there is no such variable', type: 'env' }],
  ];
}

const wrongLogos = [
  [fixed('default', 'javascript:alert(1)')],
  [fixed('default', 'logo.png')],
  [fixed('default', '')],
  [fixed('low', 'https://example.com/l.png')],
  [fixed('huge', 'https://example.com/l.png')],
  [fixed('default', 'https://example.com/l.png'), fixed('default', 'https://example.com/m.png')],
];

/** For each input that can be a list: the text of a right one, and of those that have to be refused. */
export const listCorpus: Readonly<Record<string, { right: string; refused: readonly string[] }>> = {
  details: {
    right: JSON.stringify([fixed('Where', 'Home')]),
    refused: [...noLists, ...wrongPairs(20).map((rows) => JSON.stringify(rows))],
  },
  hiddenDetails: {
    right: JSON.stringify([fixed('door', '1')]),
    refused: [...noLists, ...wrongPairs(200).map((rows) => JSON.stringify(rows))],
  },
  logos: {
    right: JSON.stringify([fixed('default', 'https://example.com/l.png')]),
    refused: [...noLists, ...wrongLogos.map((rows) => JSON.stringify(rows))],
  },
};

/** Values in a message that are wrong for a row of a list that reads them. */
export const wrongInRow: readonly unknown[] = [null, undefined, '', {}, ['x'], Number.NaN];

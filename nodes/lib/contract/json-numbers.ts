/**
 * Whether every number that is a member of an object is written as JavaScript would write it: an integer of at most 15
 * digits, neither 1.0 nor 1e3 nor -0. Then parsing it lost nothing. Looks behind colons only, so it need not tell texts
 * from numbers: a text such as "sum: 1.50" makes it say no, and a list of numbers goes unseen.
 *
 * @param json - what `JSON.parse` has accepted
 */
export function hasPlainMembers(json: string): boolean {
  for (let at = json.indexOf(':'); at >= 0; at = json.indexOf(':', at)) {
    at += 1;
    let code = json.charCodeAt(at);
    while (isSpace(code)) code = json.charCodeAt((at += 1));
    if (code === minus) code = json.charCodeAt((at += 1));
    else if (!isDigit(code)) continue;
    if (code === zero && json.charCodeAt(at - 1) === minus) return false;
    const from = at;
    while (isDigit(code)) code = json.charCodeAt((at += 1));
    if (at - from > 15 || code === point || code === smallE || code === capitalE) return false;
  }
  return true;
}

const [minus, zero, nine, point, smallE, capitalE] = [0x2d, 0x30, 0x39, 0x2e, 0x65, 0x45];

function isDigit(code: number): boolean {
  return code >= zero && code <= nine;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/**
 * Puts every number into quotes that JavaScript would write differently from how it was sent (1.0, 1e3, beyond
 * 2^53): the signature covers the text. Strings are skipped as a whole, and not by a regular expression: its stack would
 * run out on a long one.
 *
 * @param json - what `JSON.parse` has accepted
 */
export function withNumbersAsText(json: string): string {
  return withQuoted(json, isWrittenOtherwise);
}

/**
 * As `JSON.parse`, but a number that JavaScript cannot hold is text as it was sent: rounded, it could be another user's
 * id.
 *
 * @throws SyntaxError
 */
export function parseExact(json: string): unknown {
  const parsed = JSON.parse(json) as unknown;
  return mayBeRounded.test(json) ? (JSON.parse(withQuoted(json, isRounded)) as unknown) : parsed;
}

/** Puts the numbers into quotes for which `isMeant` says so. */
function withQuoted(json: string, isMeant: (literal: string) => boolean): string {
  const quoted = (text: string): string =>
    text.replace(/-?[0-9][0-9.eE+-]*/g, (literal) => (isMeant(literal) ? `"${literal}"` : literal));
  const parts: string[] = [];
  let from = 0;
  for (let open = json.indexOf('"'); open >= 0; open = json.indexOf('"', from)) {
    let close = json.indexOf('"', open + 1);
    while (isEscaped(json, close)) close = json.indexOf('"', close + 1);
    parts.push(quoted(json.slice(from, open)), json.slice(open, close + 1));
    from = close + 1;
  }
  return parts.join('') + quoted(json.slice(from));
}

function isEscaped(json: string, at: number): boolean {
  let before = at;
  while (json[before - 1] === '\\') before -= 1;
  return (at - before) % 2 === 1;
}

function isWrittenOtherwise(literal: string): boolean {
  return String(Number(literal)) !== literal;
}

/** Whether JavaScript holds another number than the one that was written: 1.0 and 1e3 are the same as 1 and 1000. */
function isRounded(literal: string): boolean {
  return literal.length > longest || decimal(literal) !== decimal(String(Number(literal)));
}

/** JavaScript itself writes no number longer than this: a longer literal need not be compared. */
const longest = 32;

/** The one way of writing a number: its digits without zeros around them, and a power of ten. */
function decimal(literal: string): string | undefined {
  const [, sign, whole, fraction = '', exponent = '0'] =
    /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(literal) ?? [];
  if (whole === undefined) return undefined;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign ?? ''}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

/** A number can only be rounded if it has more than fifteen digits, or an exponent. In doubt, yes. */
const mayBeRounded = /[0-9][0-9.]{15}|[0-9][eE][+-]?[0-9]+\s*(?:[,}\]]|$)/;

/**
 * Whether every number that is a member of an object is written as JavaScript would write it: an integer of at most 15
 * digits, neither 1.0 nor 1e3 nor -0. Then nothing was lost by parsing it. Looks behind colons only, which spares it
 * from telling texts and the rest apart: a text such as "sum: 1.50" makes it say no, and a list of numbers goes unseen.
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
 * Puts every number into quotes that JavaScript would write in another way than it was sent (1.0, 1e3, beyond
 * 2^53): what was signed is the text. Strings are skipped as a whole, and not by a regular expression: over a long one
 * its stack runs out.
 *
 * @param json - what `JSON.parse` has accepted
 */
export function withNumbersAsText(json: string): string {
  const parts: string[] = [];
  let from = 0;
  for (let open = json.indexOf('"'); open >= 0; open = json.indexOf('"', from)) {
    let close = json.indexOf('"', open + 1);
    while (isEscaped(json, close)) close = json.indexOf('"', close + 1);
    parts.push(quotedNumbers(json.slice(from, open)), json.slice(open, close + 1));
    from = close + 1;
  }
  return parts.join('') + quotedNumbers(json.slice(from));
}

function isEscaped(json: string, at: number): boolean {
  let before = at;
  while (json[before - 1] === '\\') before -= 1;
  return (at - before) % 2 === 1;
}

function quotedNumbers(json: string): string {
  return json.replace(/-?[0-9][0-9.eE+-]*/g, (literal) =>
    String(Number(literal)) === literal ? literal : `"${literal}"`,
  );
}

/** `${NAME}` or `$(NAME)` as the whole of a text: there Node-RED puts an environment variable. */
const whole = /^\$(?:\{(\S+)\}|\((\S+)\))$/;
/** The same in a part of it: there Node-RED puts nothing. */
const within = /\$(?:\{([^\s{}]+)\}|\(([^\s()]+)\))/;
const variableName = /^[A-Za-z_][\w.$-]{0,99}$/;

/**
 * What to do where a text is the place of an environment variable that is not set: Node-RED leaves it as it stands then.
 * Such a text is never what was meant, and no secret either.
 *
 * Source: https://github.com/node-red/node-red/blob/master/packages/node_modules/@node-red/runtime/lib/flows/util.js
 *
 * @returns a sentence with the variable's name; undefined for any other text
 */
export function unsetVariable(text: string): string | undefined {
  const name = placeholder(text);
  return name === undefined
    ? undefined
    : `set the environment variable${named(name)} and restart Node-RED; it is not set.`;
}

/** The name in `${NAME}` or `$(NAME)`; undefined for any other text. */
export function placeholder(text: string): string | undefined {
  const [, braced, bracketed] = whole.exec(text) ?? [];
  return braced ?? bracketed;
}

/** What is no name could be a password that looks like a placeholder: it is not shown. */
function named(name: string): string {
  return variableName.test(name) ? ` ${name}` : '';
}

/** The name of a variable in a part of a text, with a blank in front where it may be shown; undefined where there is none. */
export function placeholderWithin(text: string): string | undefined {
  const [, braced, bracketed] = within.exec(text) ?? [];
  const part = braced ?? bracketed;
  return part === undefined ? undefined : named(part);
}

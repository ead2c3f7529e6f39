/** `${NAME}` or `$(NAME)` as the whole text: Node-RED replaces it by an environment variable. */
const whole = /^\$(?:\{(\S+)\}|\((\S+)\))$/;
/** The same as a part of a text: Node-RED does not replace it. */
const within = /\$(?:\{([^\s{}]+)\}|\(([^\s()]+)\))/;
const variableName = /^[A-Za-z_][\w.$-]{0,99}$/;

/**
 * What to do if a text is the placeholder of an environment variable that is not set: Node-RED leaves it unchanged then.
 * Such a text is never meant, and it is not a secret.
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

/** Shows names only: anything else could be a password that looks like a placeholder. */
function named(name: string): string {
  return variableName.test(name) ? ` ${name}` : '';
}

/** The name of a variable in a part of a text, with a blank in front if it may be shown; undefined if there is none. */
export function placeholderWithin(text: string): string | undefined {
  const [, braced, bracketed] = within.exec(text) ?? [];
  const part = braced ?? bracketed;
  return part === undefined ? undefined : named(part);
}

import { callLimits } from '../contract/limits';
import { placeholderWithin, unsetVariable } from '../contract/placeholder';
import { sentences } from '../contract/sentences';
import type { SettingsReader } from '../contract/service';
import { kind } from '../contract/validation';

const plainNumber = /^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;

interface NumberRule {
  /** The value if it is left blank. */
  readonly fallback: number;
  readonly least: number;
  readonly most: number;
  readonly isWhole: boolean;
}

/** The settings that are numbers, of all nodes; the panels have the same limits. */
export const numbers = {
  /** Of an account, in seconds. */
  deadline: { fallback: callLimits.deadline, least: 1, most: 300, isWhole: false },
  maxInFlight: { fallback: callLimits.maxInFlight, least: 1, most: 100, isWhole: true },
  maxQueued: { fallback: callLimits.maxQueued, least: 0, most: 10_000, isWhole: true },
  /** Of an approval gate. */
  maxOpen: { fallback: 3, least: 0, most: 100_000, isWhole: true },
  /** In seconds. */
  coolDown: { fallback: 5, least: 0, most: 31_536_000, isWhole: false },
  /** Of a callback node, in seconds. */
  freshnessWindow: { fallback: 300, least: 1, most: 31_536_000, isWhole: false },
  /** In KiB. */
  maxSize: { fallback: 64, least: 1, most: 65_536, isWhole: false },
} as const satisfies Record<string, NumberRule>;

/**
 * Reads the settings and credentials of a node: every one of them through here, since each may come from an environment
 * variable, which may be missing, of another type, or blank. {@link problem} reports settings that cannot be used; nothing
 * is thrown: a node whose constructor throws does not exist, and cannot say why.
 */
export class Settings implements SettingsReader {
  private readonly problems: string[] = [];

  /** @param labelOf - what the panel calls a setting */
  constructor(private readonly labelOf: (setting: string) => string = (setting) => setting) {}

  /** What is wrong, each sentence beginning with the setting's label; undefined if nothing is. It shows no value. */
  get problem(): string | undefined {
    return sentences(...this.problems);
  }

  /** Records what is wrong with a setting. @param whatToDo - a sentence */
  refuse(setting: string, whatToDo: string): void {
    this.problems.push(`${this.labelOf(setting)}: ${whatToDo}`);
  }

  /** An address or a name. @param fallback - the value if it is left blank, or cannot be used */
  text(setting: string, value: unknown, fallback = ''): string {
    const text = this.secret(setting, value);
    const part = placeholderWithin(text);
    if (part === undefined) return text === '' ? fallback : text;
    this.refuse(
      setting,
      `put the whole setting into one environment variable: Node-RED does not replace${part} in a part of it.`,
    );
    return fallback;
  }

  /** A user name or password, which may hold any character; blank if it is not given, or cannot be used. */
  secret(setting: string, value: unknown): string {
    if (value === undefined || value === null) return '';
    // A variable of the type "number" whose digits are all there.
    const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
    if (typeof text !== 'string') {
      this.refuse(setting, `enter text, or make its variable a string; it is ${kind(value)}.`);
      return '';
    }
    const problem = unsetVariable(text);
    if (problem === undefined) return text;
    this.refuse(setting, problem);
    return '';
  }

  /**
   * A key without the blanks around it; blank if there is none, or none that is plausible.
   *
   * @param problemOf - what is wrong with an entered key, as a sentence; undefined if nothing is
   */
  key(setting: string, value: unknown, problemOf: (key: string) => string | undefined): string {
    if (typeof value === 'number') {
      this.refuse(setting, 'make its variable a string: a number has lost the zeros that it began with.');
      return '';
    }
    const key = this.secret(setting, typeof value === 'string' ? value.trim() : value);
    const problem = key === '' ? undefined : problemOf(key);
    if (problem === undefined) return key;
    this.refuse(setting, problem);
    return '';
  }

  /** A number, or text in plain digits. */
  number(setting: keyof typeof numbers, value: unknown): number {
    const { fallback, least, most, isWhole } = numbers[setting];
    if (value === undefined || value === null || value === '') return fallback;
    const number = typeof value === 'string' && plainNumber.test(value) ? Number(value) : value;
    if (
      typeof number === 'number' &&
      number >= least &&
      number <= most &&
      (!isWhole || Number.isInteger(number))
    ) {
      return number;
    }
    const unset = typeof value === 'string' ? unsetVariable(value) : undefined;
    this.refuse(setting, unset ?? `enter a ${isWhole ? 'whole ' : ''}number from ${least} to ${most}.`);
    return fallback;
  }

  /** A switch, or its spelling as text. @param fallback - the safe side */
  flag(setting: string, value: unknown, fallback: boolean): boolean {
    if (value === undefined || value === null || value === '') return fallback;
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    const unset = typeof value === 'string' ? unsetVariable(value) : undefined;
    this.refuse(setting, unset ?? 'choose true or false.');
    return fallback;
  }

  /** One of a few words; the first of them if it is blank or another word. */
  choice<const W extends string>(setting: string, value: unknown, words: readonly [W, ...(readonly W[])]): W {
    const [first] = words;
    if (value === undefined || value === null || value === '') return first;
    const word = words.find((candidate) => candidate === value);
    if (word !== undefined) return word;
    const unset = typeof value === 'string' ? unsetVariable(value) : undefined;
    this.refuse(setting, unset ?? `choose one of ${words.join(', ')}.`);
    return first;
  }
}

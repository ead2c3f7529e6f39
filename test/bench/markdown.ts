import { type Goal, isMet, type Measure, type Report, spreadOf, type Unit } from './figures';

/** How many decimals a figure of a unit is shown with. */
const decimals: Readonly<Record<Unit, number>> = {
  x: 2,
  '%': 1,
  'calls/s': 0,
  'checks/s': 0,
  bytes: 0,
  MB: 1,
  µs: 1,
  ms: 1,
  s: 2,
  '': 0,
};

/**
 * A report as markdown that can be pasted into a page: ratios first, then the other figures, then the notes.
 *
 * @param name - of the benchmark
 */
export function markdown(name: string, title: string, { ratios, figures, notes }: Report): string {
  const parts = [`### ${name}: ${title}`];
  if (ratios.length > 0) {
    const rows = ratios.map((measure) => {
      const { goal } = measure;
      return [...cells(measure), goal ? goalText(goal, measure.unit) : '', verdict(measure)];
    });
    parts.push(table(['compared', 'median', 'from – to', 'goal', ''], rows));
  }
  if (figures.length > 0) parts.push(table(['figure', 'median', 'from – to'], figures.map(cells)));
  if (notes.length > 0) parts.push(notes.map((note) => `- ${note}`).join('\n'));
  return parts.join('\n\n');
}

function cells({ what, unit, rounds }: Measure): string[] {
  const { median, min, max } = spreadOf(rounds);
  const range = rounds.length === 1 ? 'one run' : `${numberText(min, unit)} – ${numberText(max, unit)}`;
  return [what, withUnit(median, unit), range];
}

function verdict(measure: Measure): string {
  const met = isMet(measure);
  if (met === undefined) return '';
  return met ? 'met' : 'not met';
}

function goalText(goal: Goal, unit: Unit): string {
  return 'atLeast' in goal
    ? `at least ${withUnit(goal.atLeast, unit, false)}`
    : `at most ${withUnit(goal.atMost, unit, false)}`;
}

function withUnit(value: number, unit: Unit, padded = true): string {
  const text = numberText(value, unit, padded);
  if (unit === '') return text;
  return unit === 'x' ? `${text}x` : `${text} ${unit}`;
}

function numberText(value: number, unit: Unit, padded = true): string {
  return value.toLocaleString('en', {
    minimumFractionDigits: padded ? decimals[unit] : 0,
    maximumFractionDigits: decimals[unit],
  });
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (texts: readonly string[]): string => `| ${texts.join(' | ')} |`;
  const rule = head.map((_, column) => (column === 0 || column > 2 ? '---' : '---:'));
  return [head, rule, ...rows].map(line).join('\n');
}

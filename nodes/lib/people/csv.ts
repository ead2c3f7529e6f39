/** A row of a table, and where it is. */
export interface CsvRow {
  /** The line on which it begins; the first is 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** What separates cells: the first of these that the first line holds. Spreadsheets write the others in some countries. */
const separators = [',', ';', '\t'] as const;

/** A cell that begins so is a formula to spreadsheets, and `'` stands for "this is text". */
const special = /^['=+\-@\t\r]/;

/** Takes `'` from a cell that {@link csvLine} put it in front of. */
const guarded = /^'(?=['=+\-@\t\r])/;

/**
 * Writes a row of a table, as RFC 4180 has it. In front of a cell that a spreadsheet would take for a formula comes `'`: an
 * e-mail address may be `=HYPERLINK(…)@example.com`, and a phone number that is calculated loses its plus.
 *
 * Source: https://owasp.org/www-community/attacks/CSV_Injection
 */
export function csvLine(cells: readonly string[]): string {
  const written = cells.map((cell) => {
    const text = special.test(cell) ? `'${cell}` : cell;
    return /^\s|[",;\t\r\n]|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${written.join(',')}\r\n`;
}

/**
 * Reads a table that {@link csvLine} or a spreadsheet wrote. Empty lines are left out.
 *
 * @throws SyntaxError - naming the line on which a quote is in the wrong place
 */
export function readCsv(text: string): CsvRow[] {
  const table = text.replace(/^\ufeff/, '');
  const [first = ''] = table.split('\n', 1);
  const separator = separators.find((one) => first.includes(one)) ?? ',';
  return new CsvReader(table, separator).rows();
}

class CsvReader {
  private at = 0;
  private line = 1;

  constructor(
    private readonly text: string,
    private readonly separator: string,
  ) {}

  rows(): CsvRow[] {
    const rows: CsvRow[] = [];
    while (this.at < this.text.length) {
      const { line } = this;
      const cells = this.row();
      if (cells.length > 1 || cells[0] !== '') {
        rows.push({ line, cells: cells.map((cell) => cell.replace(guarded, '')) });
      }
    }
    return rows;
  }

  private row(): string[] {
    const cells: string[] = [];
    for (;;) {
      cells.push(this.text[this.at] === '"' ? this.quoted() : this.plain());
      const isLast = this.text[this.at] !== this.separator;
      if (!isLast) this.at += 1;
      else return this.endOfLine(cells);
    }
  }

  private endOfLine(cells: string[]): string[] {
    if (this.text.startsWith('\r\n', this.at)) this.at += 2;
    else if (this.text[this.at] === '\n') this.at += 1;
    else if (this.at < this.text.length) throw this.misplaced();
    this.line += 1;
    return cells;
  }

  private plain(): string {
    const begin = this.at;
    while (this.at < this.text.length && !this.isEnd()) {
      if (this.text[this.at] === '"') throw this.misplaced();
      this.at += 1;
    }
    return this.text.slice(begin, this.at);
  }

  private isEnd(): boolean {
    const character = this.text[this.at];
    return character === this.separator || character === '\n' || this.text.startsWith('\r\n', this.at);
  }

  private quoted(): string {
    const begun = this.line;
    let cell = '';
    for (;;) {
      const end = this.text.indexOf('"', this.at + 1);
      if (end < 0) throw this.misplaced(begun);
      const part = this.text.slice(this.at + 1, end);
      cell += part;
      this.line += part.split('\n').length - 1;
      this.at = end + 1;
      if (this.text[this.at] !== '"') return cell;
      // Two of them stand for one.
      cell += '"';
    }
  }

  private misplaced(line = this.line): SyntaxError {
    return new SyntaxError(`line ${line}: a quote is in the wrong place, or has no end`);
  }
}

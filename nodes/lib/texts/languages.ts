import fs from 'node:fs';
import path from 'node:path';

/** The language if none is asked for, or one without a catalogue. */
const fallback = 'en-US';

/** The texts of one language, as its file has them; `__name__` is replaced by a value. */
interface Catalogue {
  readonly [key: string]: string | Catalogue;
}

/** A catalogue in one of its languages. */
export class Language {
  constructor(
    /** Its tag and the name of its folder, such as `pt-BR`. */
    readonly tag: string,
    private readonly catalogue: Catalogue,
  ) {}

  /**
   * A text in this language.
   *
   * @param key - its place in the catalogue, such as `message.token`
   * @param values - the values to put in; `__name__` inside them is not replaced
   * @throws Error - there is no such text
   */
  text(key: string, values: Readonly<Record<string, string>> = {}): string {
    const text = this.textIfAny(key);
    if (text === undefined) throw new Error(`The catalogue of ${this.tag} has no text "${key}".`);
    return text.replace(/__(\w+?)__/g, (placeholder, name: string) => values[name] ?? placeholder);
  }

  /** A text as the catalogue has it; undefined if there is none. */
  textIfAny(key: string): string | undefined {
    const text = this.find(key);
    return typeof text === 'string' ? text : undefined;
  }

  /** All texts of the phone page, for its script. */
  get page(): object {
    return this.find('page') as object;
  }

  private find(key: string): string | Catalogue | undefined {
    const below = (part: string | Catalogue | undefined, name: string): string | Catalogue | undefined =>
      typeof part === 'object' ? part[name] : undefined;
    return key.split('.').reduce(below, this.catalogue);
  }
}

/** The languages of a catalogue: one for each `locales/<language>/<name>.json`. */
export class Languages {
  readonly all: readonly Language[];

  /** @param name - of the catalogue, which is read here in all its languages */
  constructor(private readonly name: string) {
    const folder = localesFolder();
    this.all = fs
      .readdirSync(folder)
      .map((tag) => ({ tag, file: path.join(folder, tag, `${name}.json`) }))
      .filter(({ file }) => fs.existsSync(file))
      .map(({ tag, file }) => new Language(tag, JSON.parse(fs.readFileSync(file, 'utf8')) as Catalogue));
  }

  /**
   * The language that a `locale` parameter names; English if it names none or one that is not spoken here.
   *
   * @param locale - such as `es` or `fr-CA`
   */
  ofLocale(locale: string | undefined): Language {
    return this.match(locale ?? '') ?? this.english;
  }

  /**
   * The browser's preferred language among those that exist.
   *
   * @param header - Accept-Language, such as `fr-CA,fr;q=0.9,en;q=0.5` (RFC 9110, 12.5.4)
   */
  ofBrowser(header: string | undefined): Language {
    const wanted = (header ?? '')
      .split(',')
      .map((range) => {
        const [tag = '', weight = ''] = range.split(';').map((part) => part.trim());
        return { tag, weight: Number(/^q=([\d.]+)$/i.exec(weight)?.[1] ?? 1) };
      })
      .filter(({ weight }) => weight > 0)
      // Equally preferred languages keep their order.
      .sort((one, other) => other.weight - one.weight);
    for (const { tag } of wanted) {
      const language = this.match(tag);
      if (language !== undefined) return language;
    }
    return this.english;
  }

  /** The language itself, otherwise another region's: `fr-CA` finds `fr`, and `pt` and `pt-PT` find `pt-BR`. */
  private match(tag: string): Language | undefined {
    const [wanted, primary] = [tag.toLowerCase(), primaryOf(tag)];
    return (
      this.all.find((language) => language.tag.toLowerCase() === wanted) ??
      this.all.find((language) => primaryOf(language.tag) === primary)
    );
  }

  private get english(): Language {
    const english = this.match(fallback);
    if (english === undefined) throw new Error(`The catalogue ${this.name} has no ${fallback}.`);
    return english;
  }
}

function primaryOf(tag: string): string {
  return tag.split('-')[0]?.toLowerCase() ?? '';
}

/** In the built package `locales` is beside the nodes; in the sources, beside the folder of the nodes. */
function localesFolder(): string {
  const nodes = path.join(__dirname, '..', '..');
  const folders = [path.join(nodes, 'locales'), path.join(nodes, '..', 'locales')];
  const folder = folders.find((candidate) => fs.existsSync(candidate));
  if (folder === undefined) throw new Error('The folder locales of the package is missing.');
  return folder;
}

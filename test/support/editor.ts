import fs from 'node:fs';
import path from 'node:path';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from 'playwright-core';
import should from 'should';
import { NodeRed, root, type Runtime, skip, temporaryDirectory } from './node_red';

/** The parts of the editor's own API that are used in the page. */
export interface EditorWindow {
  jQuery: {
    (query: string | Element): {
      get(): HTMLElement[];
      prop(name: string, value: boolean): { trigger(event: string): void };
      append(html: string): void;
      typedInput(what: 'type' | 'value', value?: string): void;
      val(value?: string): { trigger(event: string): void };
    };
    fx: { off: boolean };
    /** How many requests are awaited. */
    active: number;
  };
  axe: { run(where: { include: string; exclude: string }): Promise<{ violations: AxeViolation[] }> };
  AuthyPeople: { open(options: { account?: string; add?: boolean }): Promise<void> };
  RED: {
    actions: { invoke(action: string): void };
    editor: { edit(node: EditedNode): void; editConfig(name: string, type: string, id: string): void };
    events: { emit(event: string, told?: object): void };
    nodes: {
      dirty(): boolean;
      eachNode(visit: (node: EditedNode) => void): void;
      eachConfig(visit: (node: EditedNode) => void): void;
      getType(type: string): object | undefined;
      node(id: string): EditedNode;
    };
    sidebar: { help: { show(type: string): void } };
    view: { selection(): { nodes?: { id: string }[] } };
    workspaces: { count(): number; show(id: string): void };
  };
}

interface AxeViolation {
  id: string;
  impact: string;
  nodes: { html: string }[];
}

export interface EditorNode {
  id: string;
  type: string;
  z: string;
  name?: string;
}

/** A node as the editor holds it. */
interface EditedNode extends EditorNode {
  valid?: boolean;
  validationErrors?: string[];
  _def: { defaults: object };
  [property: string]: unknown;
}

/**
 * Starts the machine's own browser; skips the suite where there is none.
 *
 * @param names - host names that the browser resolves to this machine
 */
export async function startBrowser(context: Mocha.Context, names: readonly string[] = []): Promise<Browser> {
  const executablePath = chromiumOf(context);
  const rules = names.map((name) => `MAP ${name} 127.0.0.1`).join(', ');
  const args = ['--no-sandbox', ...(rules === '' ? [] : [`--host-resolver-rules=${rules}`])];
  return chromium.launch({ executablePath, args, handleSIGTERM: false });
}

/**
 * Starts the machine's own browser with a new profile on the disk, as people have one: what is private forgets, and is allowed
 * less. Skips the suite where there is none.
 *
 * @param args - more arguments of Chromium
 */
export async function startBrowserWithProfile(
  context: Mocha.Context,
  args: readonly string[],
): Promise<BrowserContext> {
  return chromium.launchPersistentContext(temporaryDirectory(), {
    executablePath: chromiumOf(context),
    args: ['--no-sandbox', ...args],
    handleSIGTERM: false,
  });
}

/** The machine's Chromium; skips the suite where there is none. */
function chromiumOf(context: Mocha.Context): string {
  const places = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/google-chrome'];
  const found = places.find((place) => place !== undefined && fs.existsSync(place));
  return found ?? skip(context, 'no browser was found; name one by the environment variable CHROMIUM.');
}

/** The editor of a Node-RED in a browser, and the errors in its console. */
export class Editor {
  readonly complaints: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly screenshots: string,
  ) {
    listen(page, this.complaints);
  }

  /** Opens it and waits until it knows a node type, and its flows are loaded. */
  static async open(context: BrowserContext, nodeRed: NodeRed, screenshots: string): Promise<Editor> {
    // Compiled functions call this when they run in the page.
    await context.addInitScript({ content: 'globalThis.__name = (value) => value;' });
    const editor = new Editor(await context.newPage(), path.join(root, '.cache', 'screenshots', screenshots));
    await editor.page.goto(nodeRed.adminUrl);
    await editor.page.waitForFunction(() => {
      const { RED } = window as unknown as Partial<EditorWindow>;
      return RED?.nodes.getType('authy-onetouch-callback') !== undefined && RED.workspaces.count() > 0;
    });
    // Animations only cost time here.
    await editor.page.evaluate(() => {
      (window as unknown as EditorWindow).jQuery.fx.off = true;
    });
    return editor;
  }

  /** Takes a picture for people to look at, of this page or of another one. */
  async picture(name: string, page = this.page): Promise<void> {
    await page.screenshot({
      path: path.join(this.screenshots, `${name}.png`),
      // A style in a page whose policy forbids it would be logged as an error.
      ...(page === this.page ? withoutNotifications : { caret: 'initial' }),
    });
  }

  /** Opens a second page, whose errors also count. */
  async openBeside(address: string): Promise<Page> {
    const page = await this.page.context().newPage();
    listen(page, this.complaints);
    await page.goto(address);
    return page;
  }

  /** All our nodes in the flows, configurations last. */
  nodes(): Promise<EditorNode[]> {
    return this.page.evaluate(() => {
      const { RED } = window as unknown as EditorWindow;
      const found: EditorNode[] = [];
      const collect = ({ id, type, z, name }: EditedNode): void => {
        if (type.startsWith('authy-')) found.push({ id, type, z, name });
      };
      RED.nodes.eachNode(collect);
      RED.nodes.eachConfig(collect);
      return found;
    });
  }

  /** Whether the editor considers a node valid, and the values that it would deploy. */
  state(id: string): Promise<{ valid: unknown; validationErrors: unknown; values: Record<string, unknown> }> {
    return this.page.evaluate((id) => {
      const { RED } = window as unknown as EditorWindow;
      const node = RED.nodes.node(id);
      const { valid, validationErrors, _def: definition } = node;
      const values = Object.keys(definition.defaults).map((name) => [name, node[name]]);
      return { valid, validationErrors, values: Object.fromEntries(values) as Record<string, unknown> };
    }, id);
  }

  /** Imports an example as a user does, from the list of examples in the dialog. */
  async importExample(packageName: string, name: string): Promise<void> {
    const { page } = this;
    await page.evaluate(() =>
      (window as unknown as EditorWindow).RED.actions.invoke('core:show-examples-import-dialog'),
    );
    const entry = (text: string) =>
      page.locator('#red-ui-clipboard-dialog-import-tab-examples').getByText(text, { exact: true });
    await entry(packageName).click();
    await entry(name).click();
    await page.locator('#red-ui-clipboard-dialog-ok').click();
    await page.locator('#red-ui-clipboard-dialog').waitFor({ state: 'hidden' });
  }

  /** Presses the deploy button and waits until the flows run. */
  async deploy(): Promise<void> {
    await this.page.locator('#red-ui-header-button-deploy').click();
    await this.page.waitForFunction(() => !(window as unknown as EditorWindow).RED.nodes.dirty());
  }

  /** Brings a flow to the front. */
  async show(tab: string): Promise<void> {
    await this.page.evaluate((id) => (window as unknown as EditorWindow).RED.workspaces.show(id), tab);
    await this.page.locator(`#red-ui-tab-${tab}.active`).waitFor();
  }

  /** Shows the help of a node in the sidebar. @returns it */
  async openHelp(type: string): Promise<Locator> {
    await this.page.evaluate((type) => (window as unknown as EditorWindow).RED.sidebar.help.show(type), type);
    return this.page.locator('.red-ui-help .red-ui-help');
  }

  /** Opens a node's panel. */
  async openPanel({ id, type }: EditorNode): Promise<void> {
    await this.page.evaluate(
      ([id, type]) => {
        const { RED } = window as unknown as EditorWindow;
        if (type === 'authy-config') RED.editor.editConfig('', type, id);
        else RED.editor.edit(RED.nodes.node(id));
      },
      [id, type] as const,
    );
    await this.page.locator('.red-ui-tray-body form').first().waitFor();
    // The panel slides in: it is ready once its button no longer moves.
    await this.page.locator(buttonOf(type)).click({ trial: true });
  }

  /** Shows what the open panel has folded away. */
  async unfold(): Promise<void> {
    const fold = this.page.locator(`${formOf} details:not([open]) > summary`);
    if ((await fold.count()) > 0) await fold.click();
  }

  /** Closes a node's panel by its button Done. */
  async closePanel({ type }: EditorNode): Promise<void> {
    await this.page.locator(buttonOf(type)).click();
    await this.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
  }

  /** Closes whatever a failed test left open. */
  async dismiss(): Promise<void> {
    const cancel = this.page.locator('#node-dialog-cancel:visible, #node-config-dialog-cancel:visible');
    while ((await cancel.count()) > 0) {
      const count = await this.page.locator('.red-ui-tray').count();
      await cancel.last().click();
      await this.page.waitForFunction(
        (before) => document.querySelectorAll('.red-ui-tray').length < before,
        count,
      );
    }
  }

  /**
   * Fills every field of the open panel with another value, TypedInputs with one of their types in turn.
   *
   * @param turn - which type the first TypedInput gets; the following ones get the following types
   * @param listsStay - whether fields that can be lists stay lists, and get rows
   */
  async fill(turn: number, listsStay: boolean): Promise<void> {
    await this.unfold();
    await this.page.evaluate(
      ([form, turn, listsStay]) => {
        const { jQuery: $ } = window as unknown as EditorWindow;
        const texts: Record<string, string> = {
          ...{ msg: 'filled.by.test', flow: 'filled', global: 'filled', str: '${FILLED}', env: 'FILLED' },
          ...{ num: '7', json: '{"filled":1}', jsonata: '"filled" & 1', bool: 'true' },
        };
        for (const field of $(`${form} [id*=node-input-], ${form} [id*=node-config-input-]`).get()) {
          const types = field.getAttribute('data-types')?.split(',');
          // The code of the panel sets hidden fields.
          if (field.closest('[hidden]') !== null) continue;
          // A node has the account whose service does what it is for.
          if (field.id === 'node-input-account') continue;
          if (types !== undefined) {
            const next = types[turn++ % types.length] ?? '';
            const type = listsStay && types.includes('list') ? 'list' : next;
            $(field).typedInput('type', type);
            const options = field.getAttribute('data-options')?.split(',');
            if (type === 'str' && options) $(field).typedInput('value', options.at(-1));
            else if (type !== 'list') $(field).typedInput('value', texts[type]);
          } else if (field instanceof HTMLSelectElement) {
            // Of the services, only Authy does everything that the other panels ask for.
            const isSame = ({ dataset }: HTMLOptionElement): boolean =>
              (dataset['service'] ?? 'authy') === 'authy';
            const chosen = [...field.options].filter((option) => isSame(option) && option.value !== '_ADD_');
            if (chosen.length > 1) $(field).val(chosen.at(-1)?.value).trigger('change');
          } else if (field instanceof HTMLInputElement && field.type === 'checkbox') {
            $(field).prop('checked', !field.checked).trigger('change');
          } else if (field instanceof HTMLInputElement && field.type !== 'hidden') {
            const isNumber = /^\d+$/.test(field.value);
            if (field.value === '' || isNumber)
              $(field)
                .val(isNumber ? '7' : '${FILLED}')
                .trigger('change');
          }
        }
      },
      [formOf, turn, listsStay] as const,
    );
    for (const list of await this.page.locator('.authy-list:visible').all()) {
      for (const [index, name] of ['default', 'low'].entries()) {
        await list.locator('.red-ui-editableList-addButton').click();
        const row = list.locator('li').nth(index);
        const field = row.locator('.authy-name');
        if ((await field.evaluate(({ tagName }) => tagName)) === 'SELECT') await field.selectOption(name);
        else await field.fill(name);
        await row.locator('.red-ui-typedInput-input').fill(`https://example.com/${name}.png`);
      }
    }
  }

  /** The values of the fields of the open panel; of a secret only whether there is one. */
  shown(): Promise<Record<string, string>> {
    return this.page.evaluate((form) => {
      const { jQuery: $ } = window as unknown as EditorWindow;
      const fields = $(`${form} [id*=node-input-], ${form} [id*=node-config-input-]`).get();
      const values = fields
        .filter((field) => field instanceof HTMLInputElement || field instanceof HTMLSelectElement)
        .map((field): [string, string] => {
          const { id, value } = field;
          if (field.type === 'checkbox') return [id, String(field.checked)];
          return [id, field.type === 'password' ? String(value !== '') : value];
        });
      return Object.fromEntries(values);
    }, formOf);
  }

  /** The serious findings of axe on the accessibility of the open panel, each with the element. */
  async barriers(): Promise<string[]> {
    await this.page.addScriptTag({ path: require.resolve('axe-core') });
    return this.page.evaluate(async (form) => {
      const { axe } = window as unknown as EditorWindow;
      // Hidden fields of Node-RED that keep browsers from filling in passwords.
      const { violations } = await axe.run({ include: form, exclude: '[id^=red-ui-trap]' });
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
    }, formOf);
  }

  /** Adds a node to the flow at the front, with the defaults of the palette. @returns its id */
  async drag(type: string): Promise<string> {
    const entry = this.page.locator(`[data-palette-type="${type}"]`);
    await entry.scrollIntoViewIfNeeded();
    await entry.dragTo(this.page.locator('#red-ui-workspace-chart'), { targetPosition: { x: 300, y: 300 } });
    // The editor draws the selection a little later.
    return this.page.evaluate(() => {
      const { RED } = window as unknown as EditorWindow;
      return RED.view.selection().nodes?.[0]?.id ?? '';
    });
  }

  /** Switches to the dark theme of Node-RED 5; earlier ones have none. */
  async darken(): Promise<void> {
    await this.page.evaluate(() => document.documentElement.classList.add('nr-theme-dark'));
  }

  /** The keys in the open panel that were not translated, and the labels without a text. */
  untranslated(): Promise<string[]> {
    return this.page.locator('.red-ui-tray-body').evaluate((panel) => {
      const texts = [...panel.querySelectorAll('*')].flatMap((element) =>
        ['placeholder', 'title', 'aria-label'].map((name) => element.getAttribute(name) ?? ''),
      );
      // A key begins with its node's type or with the name of a catalogue.
      const key = /\b(?:authy-[a-z]+[\w-]*|node-red|editor|common)[.:][a-z][\w.:-]+|\[object \w+\]/g;
      const keys = [panel.textContent, ...texts].flatMap((text) => text.match(key) ?? []);
      const labels = panel.querySelectorAll(
        '#dialog-form label[for], #node-config-dialog-edit-form label[for]',
      );
      const blank = [...labels].filter((label) => label.textContent.trim() === '');
      return [...keys, ...blank.map((label) => `the label of ${label.getAttribute('for') ?? ''} is blank`)];
    });
  }

  /** Presses the button of an inject node on the canvas. */
  async pressInject(id: string): Promise<void> {
    await this.page.locator(`[id="${id}"] .red-ui-flow-node-button-button`).click();
  }

  /** The text below a node on the canvas. */
  async status(id: string): Promise<string> {
    return this.page.locator(`[id="${id}"] .red-ui-flow-node-status-label`).innerHTML();
  }
}

/** Notifications disappear by themselves, but would hide parts of the picture. */
const withoutNotifications = { style: '#red-ui-notifications { display: none }' };

/** The form of the panel at the front: that of a configuration opens in front of that of a node. */
const formOf = '.red-ui-tray:last-child form';

function buttonOf(type: string): string {
  return type === 'authy-config' ? '#node-config-dialog-ok' : '#node-dialog-ok';
}

function listen(page: Page, complaints: string[]): void {
  page.on('console', (message) => {
    // What a plugin throws while it is told of something is a warning of Node-RED's.
    const isThrown = message.text().startsWith('RED.events.emit error');
    if (message.type() === 'error' || isThrown)
      complaints.push(`${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => complaints.push(error.stack ?? error.message));
}

/**
 * A Node-RED and a browser for the tests of a suite: started before them, ended after them. After each test its editors are closed,
 * and must have had nothing to complain of.
 */
export class EditorSuite {
  private started: { readonly browser: Browser; readonly nodeRed: NodeRed } | undefined;
  private readonly opened: Editor[] = [];

  constructor(private readonly runtime: Runtime) {
    const start = async (context: Mocha.Context): Promise<void> => {
      const browser = await startBrowser(context);
      this.started = { browser, nodeRed: await NodeRed.start(context, runtime) };
    };
    before(async function () {
      // The first time, all of Node-RED 5 is downloaded.
      this.timeout(600_000);
      await start(this);
    });
    afterEach(async () => {
      const editors = this.opened.splice(0);
      for (const { page } of editors) await page.context().close();
      should(editors.flatMap(({ complaints }) => complaints)).eql([]);
    });
    after(async () => {
      await this.started?.browser.close();
      await this.started?.nodeRed.stop();
    });
  }

  get nodeRed(): NodeRed {
    return this.running.nodeRed;
  }

  /**
   * Opens the editor in a new window of its own.
   *
   * @param name - of the folder of its pictures
   */
  async open(name: string, options: BrowserContextOptions = {}): Promise<Editor> {
    const viewport = { width: 1366, height: 768 };
    const context = await this.running.browser.newContext({ locale: 'en-US', viewport, ...options });
    context.setDefaultTimeout(20_000);
    const folder = `${name}-${this.runtime.version.replaceAll('.', '')}`;
    const editor = await Editor.open(context, this.nodeRed, folder);
    this.opened.push(editor);
    return editor;
  }

  private get running(): { readonly browser: Browser; readonly nodeRed: NodeRed } {
    if (this.started === undefined) throw new Error('The suite has not begun.');
    return this.started;
  }
}

import fs from 'node:fs';
import path from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { type NodeRed, root, skip } from './node_red';

/** What is used of the editor's own API, in the page. */
interface EditorWindow {
  jQuery: { fx: { off: boolean } };
  RED: {
    actions: { invoke(action: string): void };
    editor: { edit(node: EditedNode): void; editConfig(name: string, type: string, id: string): void };
    nodes: {
      dirty(): boolean;
      eachNode(visit: (node: EditedNode) => void): void;
      eachConfig(visit: (node: EditedNode) => void): void;
      getType(type: string): object | undefined;
      node(id: string): EditedNode;
    };
    workspaces: { count(): number; show(id: string): void };
  };
}

export interface EditorNode {
  id: string;
  type: string;
  z: string;
  name?: string;
}

/** The same, as the editor holds it. */
interface EditedNode extends EditorNode {
  valid?: boolean;
  validationErrors?: string[];
  _def: { defaults: object };
  [property: string]: unknown;
}

/** Starts the machine's own browser; skips the suite where there is none. */
export async function startBrowser(context: Mocha.Context): Promise<Browser> {
  const places = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/google-chrome'];
  const executablePath = places.find((place) => place !== undefined && fs.existsSync(place));
  if (executablePath === undefined) {
    skip(context, 'no browser was found; name one by the environment variable CHROMIUM.');
  }
  return chromium.launch({ executablePath, args: ['--no-sandbox'], handleSIGTERM: false });
}

/** The editor of a Node-RED in a browser, and what its console complained of. */
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
    // Functions are compiled before they are handed to the page, and then call this.
    await context.addInitScript({ content: 'globalThis.__name = (value) => value;' });
    const editor = new Editor(await context.newPage(), path.join(root, '.cache', 'screenshots', screenshots));
    await editor.page.goto(nodeRed.adminUrl);
    await editor.page.waitForFunction(() => {
      const { RED } = window as unknown as Partial<EditorWindow>;
      return RED?.nodes.getType('authy-onetouch-callback') !== undefined && RED.workspaces.count() > 0;
    });
    // What fades in and out only costs time here.
    await editor.page.evaluate(() => {
      (window as unknown as EditorWindow).jQuery.fx.off = true;
    });
    return editor;
  }

  /** Takes a picture for people to look at, of this page or of another one. */
  async picture(name: string, page = this.page): Promise<void> {
    await page.screenshot({
      path: path.join(this.screenshots, `${name}.png`),
      // Nothing is put into a page that forbids it: that would be a complaint of its own.
      ...(page === this.page ? withoutNotifications : { caret: 'initial' }),
    });
  }

  /** Opens a second page, whose complaints count as well. */
  async openBeside(address: string): Promise<Page> {
    const page = await this.page.context().newPage();
    listen(page, this.complaints);
    await page.goto(address);
    return page;
  }

  /** All nodes of ours in the flows, configurations last. */
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

  /** What the editor thinks of a node, and what it would deploy of it. */
  state(id: string): Promise<{ valid: unknown; validationErrors: unknown; values: Record<string, unknown> }> {
    return this.page.evaluate((id) => {
      const { RED } = window as unknown as EditorWindow;
      const node = RED.nodes.node(id);
      const { valid, validationErrors, _def: definition } = node;
      const values = Object.keys(definition.defaults).map((name) => [name, node[name]]);
      return { valid, validationErrors, values: Object.fromEntries(values) as Record<string, unknown> };
    }, id);
  }

  /** Imports an example as a user does: by the dialog, from the list of examples. */
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
    // The panel slides in: it is there when its button stands still.
    await this.page.locator(buttonOf(type)).click({ trial: true });
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

  /** What the open panel does not say in words: keys that were not translated, and labels without a text. */
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

/** They go by themselves, but until then hide what the picture is of. */
const withoutNotifications = { style: '#red-ui-notifications { display: none }' };

function buttonOf(type: string): string {
  return type === 'authy-config' ? '#node-config-dialog-ok' : '#node-dialog-ok';
}

function listen(page: Page, complaints: string[]): void {
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => complaints.push(error.stack ?? error.message));
}

// npm run pictures: takes the pictures for the documents from a running editor, into docs/pictures/.
import fs from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { Editor, type EditorWindow, startBrowser } from '../support/editor';
import { example, examples, nodeOf, pictureOf, tabOf } from '../support/example_flows';
import { packagesOfExamples } from '../support/example_player';
import { withEditorFont } from '../support/layout';
import { NodeRed, packageName, root, type Runtime, runtimes } from '../support/node_red';

const folder = path.join(root, 'docs', 'pictures');

/** Nothing is skipped here: without a browser there are no pictures. */
const context = {
  skip() {
    throw new Error('The pictures cannot be taken.');
  },
} as unknown as Mocha.Context;

async function takeAll(runtime: Runtime): Promise<void> {
  const browser = await startBrowser(context);
  const nodeRed = await NodeRed.start(context, runtime, { packages: packagesOfExamples });
  try {
    fs.mkdirSync(folder, { recursive: true });
    const viewport = { width: 2400, height: 1600 };
    const window = await browser.newContext({ locale: 'en-US', viewport });
    await withEditorFont(context, window);
    const editor = await Editor.open(window, nodeRed, '');
    // The examples add a subflow to it.
    await takePalette(editor);
    for (const name of examples().keys()) await editor.importExample(packageName, name);
    await editor.deploy();
    await editor.page.addStyleTag({
      content: '#red-ui-notifications, .red-ui-workspace-chart-grid { display: none }',
    });
    await editor.page.evaluate(() => {
      const { RED } = window as unknown as EditorWindow;
      RED.actions.invoke('core:toggle-palette');
      RED.actions.invoke('core:toggle-sidebar');
    });
    for (const [name, flows] of examples()) {
      await editor.show(tabOf(flows));
      await takeFlow(editor.page, pictureOf(name));
    }
    await takeGroup(editor);
    await takePanels(editor);
    await takeGarage(editor, nodeRed);
  } finally {
    await browser.close();
    await nodeRed.stop();
  }
}

function fileOf(name: string): string {
  return path.join(folder, `${name}.png`);
}

async function takePalette(editor: Editor): Promise<void> {
  const category = editor.page.locator('.red-ui-palette-category', {
    has: editor.page.locator('[data-palette-type="authy-user-create"]'),
  });
  await category.scrollIntoViewIfNeeded();
  await category.screenshot({ path: fileOf('palette') });
}

/** Takes a picture of the group of nodes in which the garage waits. */
async function takeGroup(editor: Editor): Promise<void> {
  const flows = example('Garage door with approval');
  await editor.show(tabOf(flows));
  const gate = nodeOf(flows, 'authy-onetouch-approval');
  await takeFlow(editor.page, 'garage-flow', `[id="${String(gate['g'])}"]`);
}

/** Takes a picture of the flow in the workspace, cropped to its nodes, or to some of them. */
async function takeFlow(
  page: Page,
  name: string,
  shown = '.red-ui-flow-node, .red-ui-flow-group',
): Promise<void> {
  const box = await page.evaluate((shown) => {
    const chart = document.querySelector('#red-ui-workspace-chart');
    const nodes = [...document.querySelectorAll(shown)];
    const boxes = nodes.map((node) => node.getBoundingClientRect());
    const { left: x, top: y } = chart?.getBoundingClientRect() ?? { left: 0, top: 0 };
    const left = Math.max(x, Math.min(...boxes.map((box) => box.left)) - 15);
    const top = Math.max(y, Math.min(...boxes.map((box) => box.top)) - 15);
    const right = Math.max(...boxes.map((box) => box.right)) + 15;
    const bottom = Math.max(...boxes.map((box) => box.bottom)) + 25;
    return { x: left, y: top, width: right - left, height: bottom - top };
  }, shown);
  await page.screenshot({ path: fileOf(name), clip: box });
}

async function takePanels(editor: Editor): Promise<void> {
  const flows = example('Garage door with approval');
  await editor.page.setViewportSize({ width: 1300, height: 760 });
  await editor.show(tabOf(flows));
  for (const [type, name] of [
    ['authy-onetouch-approval', 'approval-gate'],
    ['authy-config', 'account'],
  ] as const) {
    const node = { ...nodeOf(flows, type), z: tabOf(flows) };
    await editor.openPanel(node);
    await editor.page
      .locator('.red-ui-tray')
      .last()
      .screenshot({ path: fileOf(name) });
    await editor.closePanel(node);
  }
}

/** Takes pictures of the garage's dashboard and the phone, while the answer is still missing. */
async function takeGarage(editor: Editor, nodeRed: NodeRed): Promise<void> {
  const account = nodeOf(example('Garage door with approval'), 'authy-config').id;
  const phone = await editor.openBeside(`${nodeRed.adminUrl}authy-simulator/${account}/phone/`);
  const dashboard = await editor.openBeside(`${nodeRed.nodeUrl}garage`);
  for (const page of [phone, dashboard]) await page.setViewportSize({ width: 390, height: 620 });
  await dashboard.getByRole('button', { name: 'Open the garage' }).click();
  await dashboard.getByText('Waiting for Ada').waitFor();
  await dashboard.screenshot({ path: fileOf('garage') });
  await phone.bringToFront();
  await phone.getByText('Open the garage?').first().waitFor();
  await phone.screenshot({ path: fileOf('phone') });
}

void takeAll(runtimes[0] as Runtime);

import type { Browser } from 'playwright-core';
import { Editor, startBrowser } from '../support/editor';
import { type FlowNode, NodeRed, runtimes, types } from '../support/node_red';

/** In which language and theme the panels are looked at; German has the longest words. */
const views = [
  { language: 'en-US', isDark: false, turn: 0 },
  { language: 'de', isDark: true, turn: 3 },
];

/** A flow with one node of each type, as the palette has it but for what a person has to fill in. */
const oneOfEach: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'one of each' },
  ...types.map((type, index): FlowNode => {
    if (type === 'authy-config') return { id: type, type, name: '', service: 'simulator' };
    return { id: type, type, z: 'tab', x: 200, y: 40 + index * 40, wires: [], account: 'authy-config' };
  }),
];

for (const runtime of runtimes) {
  describe(`the panels in Node-RED ${runtime.version}x`, function () {
    this.timeout(60_000);
    let browser: Browser | undefined;
    let nodeRed: NodeRed | undefined;

    before(async function () {
      // The first time, all of Node-RED 5 is downloaded.
      this.timeout(600_000);
      browser = await startBrowser(this);
      nodeRed = await NodeRed.start(this, runtime);
      await nodeRed.deploy(oneOfEach);
    });
    after(async () => {
      await browser?.close();
      await nodeRed?.stop();
    });

    for (const { language, isDark, turn } of views) {
      const view = `${language}${isDark ? ', dark' : ''}`;

      describe(view, () => {
        let editor: Editor;

        before(async () => {
          const context = await (browser as Browser).newContext({
            locale: language,
            viewport: { width: 1300, height: 1100 },
          });
          context.setDefaultTimeout(20_000);
          const pictures = `panels-${runtime.version.replaceAll('.', '')}`;
          editor = await Editor.open(context, nodeRed as NodeRed, pictures);
          if (isDark) await editor.darken();
        });
        after(() => (editor as Editor | undefined)?.page.context().close());
        afterEach(() => editor.dismiss());

        for (const [index, type] of types.entries()) {
          it(`${type} is filled, saved and opened again, and nothing is lost`, async () => {
            editor.complaints.length = 0;
            const node = { id: type, type, z: 'tab' };
            await editor.openPanel(node);
            const before = await editor.shown();
            (await editor.untranslated()).should.deepEqual([]);
            await editor.picture(`${type}, ${view}`);

            await editor.fill(turn + index);
            const filled = await editor.shown();
            filled.should.not.deepEqual(before);
            (await editor.untranslated()).should.deepEqual([]);
            (await editor.barriers()).should.deepEqual([]);
            await editor.picture(`${type} filled, ${view}`);
            await editor.closePanel(node);
            const saved = await editor.state(type);
            saved.should.have.properties({ valid: true, validationErrors: [] });

            await editor.openPanel(node);
            (await editor.shown()).should.deepEqual(filled);
            await editor.closePanel(node);
            (await editor.state(type)).should.deepEqual(saved);
            editor.complaints.should.deepEqual([]);
          });
        }
      });
    }
  });
}

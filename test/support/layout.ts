import fs from 'node:fs';
import path from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { installedInCache } from './node_red';

/** A node, a group or a wire as the editor has drawn it. */
interface Drawn {
  id: string;
  type: string;
  name?: string;
  /** The group that it is in. */
  g?: string;
  x: number;
  y: number;
  w: number;
  h: number;
}

/** The parts of the editor's own API that tell where things are. */
interface DrawingWindow {
  RED: {
    workspaces: { active(): string };
    nodes: {
      eachNode(visit: (node: Drawn & { z: string }) => void): void;
      groups(tab: string): Drawn[];
    };
  };
}

/**
 * Gives a browser the widths of Arial and Helvetica, which the editor asks for, whatever fonts this machine has: the width of a
 * node is that of its label.
 */
export async function withEditorFont(context: Mocha.Context, browser: BrowserContext): Promise<void> {
  const modules = await installedInCache(context, 'fonts', ['@fontsource/arimo@5']);
  // One that exists everywhere, and whose letters are as wide.
  const faces = ['normal', 'italic'].map((style) => {
    const file = path.join(modules, '@fontsource', 'arimo', 'files', `arimo-latin-400-${style}.woff2`);
    const data = fs.readFileSync(file, 'base64');
    return `@font-face { font-family: 'Helvetica Neue'; font-style: ${style}; font-weight: 100 900; src: url(data:font/woff2;base64,${data}) }`;
  });
  await browser.addInitScript((css) => {
    document.addEventListener('DOMContentLoaded', () => {
      // Other pages forbid styles that are not theirs.
      if (document.querySelector('#red-ui-editor') === null) return;
      document.head.append(Object.assign(document.createElement('style'), { textContent: css }));
      // Otherwise what is measured first is measured in another font.
      for (const style of ['', 'italic ']) void document.fonts.load(`${style}14px 'Helvetica Neue'`);
    });
  }, faces.join('\n'));
}

/** What is wrong with how the flow at the front is laid out, a line for each; it has to be drawn by now. */
export function layoutFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { RED } = window as unknown as DrawingWindow;
    const tab = RED.workspaces.active();
    const nodes: Drawn[] = [];
    RED.nodes.eachNode((node) => {
      if (node.z === tab) nodes.push(node);
    });
    const groups = RED.nodes.groups(tab);
    const nameOf = ({ name, type }: Drawn): string => (name === undefined || name === '' ? type : name);
    // The place of a node is its middle, that of a group its corner.
    const left = ({ x, w }: Drawn): number => x - w / 2;
    const boxes = [
      ...nodes.map((node) => ({ node, x: left(node), y: node.y - node.h / 2 })),
      ...groups.map((node) => ({ node, x: node.x, y: node.y })),
    ];
    const isWithin = (box: (typeof boxes)[number], x: number, y: number): boolean =>
      x > box.x && x < box.x + box.node.w && y > box.y && y < box.y + box.node.h;
    const faults: string[] = [];

    const leftOf = (selector: string): number =>
      document.querySelector(selector)?.getBoundingClientRect().left ?? 0;
    // In Node-RED 5 the sidebar lies upon the workspace. A scroll bar takes 15 px, and the button of a debug node 20.
    const edge = leftOf('#red-ui-sidebar') - leftOf('#red-ui-workspace-chart') - 15;
    for (const { node, x } of boxes) {
      const end = x + node.w + (node.type === 'debug' ? 20 : 0);
      if (end > edge) faults.push(`${nameOf(node)} ends at ${end}, the workspace at ${edge}`);
    }
    for (const node of nodes) {
      if (left(node) % 20 !== 0) faults.push(`${nameOf(node)} begins at ${left(node)}, off the grid`);
      // Where the nodes in groups begin.
      if (node.type === 'comment' && node.g === undefined && left(node) !== 40) {
        faults.push(`${nameOf(node)} begins at ${left(node)}, and not at 40`);
      }
    }
    for (const [index, one] of boxes.entries()) {
      for (const other of boxes.slice(index + 1)) {
        const isGroup = one.node.type === 'group' || other.node.type === 'group';
        if (isGroup && one.node.type !== other.node.type) continue;
        const apart =
          one.x + one.node.w <= other.x ||
          other.x + other.node.w <= one.x ||
          one.y + one.node.h <= other.y ||
          other.y + other.node.h <= one.y;
        if (!apart) faults.push(`${nameOf(one.node)} lies upon ${nameOf(other.node)}`);
      }
    }
    for (const line of document.querySelectorAll<SVGPathElement>('.red-ui-flow-link-line')) {
      const { source, target } = (line as unknown as { __data__: { source: Drawn; target: Drawn } }).__data__;
      if (!nodes.includes(source) || !nodes.includes(target)) continue;
      const wire = `the wire from ${nameOf(source)} to ${nameOf(target)}`;
      if (source.x + source.w / 2 > left(target)) faults.push(`${wire} runs backwards`);
      const length = line.getTotalLength();
      for (const box of boxes) {
        if (box.node.type === 'group' || box.node === source || box.node === target) continue;
        for (let at = 0; at <= length; at += 5) {
          const { x, y } = line.getPointAtLength(at);
          if (!isWithin(box, x, y)) continue;
          faults.push(`${wire} runs through ${nameOf(box.node)}`);
          break;
        }
      }
    }
    return faults;
  });
}

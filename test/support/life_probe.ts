/*
 * Runs inside a Node-RED, before it (`--require`), and answers on a port of its own what that process holds. Compiled
 * by itself (see life.ts): it must import nothing of the project.
 */
import { createHook } from 'node:async_hooks';
import http from 'node:http';
import { createRequire } from 'node:module';
import v8 from 'node:v8';
import vm from 'node:vm';

/** What a Node-RED holds, and how the messages at our nodes have ended. */
export interface Figures {
  /** In bytes, after a collection. */
  heap: number;
  /** Memory beside the heap, such as the bytes of buffers. */
  external: number;
  /** The most memory that the process has used. */
  peak: number;
  listeners: number;
  routes: number;
  sockets: number;
  servers: number;
  timers: number;
  /**
   * Messages that our nodes have received, and those that ended once, twice, or not yet. Missed are those that
   * Node-RED gave to a node that it had closed before.
   */
  messages: { received: number; ended: number; twice: number; open: number; missed: number };
  /** Messages that a node sent after it was closed. */
  sentAfterClose: string[];
  unhandled: string[];
  /** Warnings of Node.js, such as about too many listeners. */
  warnings: string[];
}

interface HookedNode {
  id: string;
  node?: { type: string };
}

interface NodeRedModules {
  util: {
    events: NodeJS.EventEmitter;
    hooks: { add(id: string, hook: (event: never) => void): void };
  };
  nodes: { getNode(id: string): object | null };
  red: { httpAdmin: Application; httpNode: Application };
}

interface Layer {
  handle?: { stack?: Layer[] };
  route?: { stack?: Layer[] };
}
interface Application {
  /** Only Express 4 has this; it throws if its property `router` is read. */
  lazyrouter?: unknown;
  _router?: { stack: Layer[] };
  router?: { stack: Layer[] };
}

const unhandled: string[] = [];
const warnings: string[] = [];
process.on('unhandledRejection', (reason) => unhandled.push(String(reason)));
process.on('warning', ({ name, message }) => warnings.push(`${name}: ${message}`));

// Timers that let the process end also count, and Node.js does not list them elsewhere.
const timers = new Set<number>();
createHook({
  init: (id, type) => {
    if (type === 'Timeout') timers.add(id);
  },
  destroy: (id) => timers.delete(id),
}).enable();

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;

let modules: NodeRedModules | undefined;
const open = new Set<string>();
const over = new Set<string>();
const counts = { received: 0, ended: 0, twice: 0, missed: 0 };
const sentAfterClose: string[] = [];

const isOurs = ({ node }: HookedNode): boolean => node?.type.startsWith('authy-') === true;

/** Finds the modules of the surrounding Node-RED, once it runs. */
function follow(): NodeRedModules {
  if (modules !== undefined) return modules;
  const load = createRequire(process.argv[1] ?? '');
  const found: NodeRedModules = {
    util: load('@node-red/util') as NodeRedModules['util'],
    nodes: load('@node-red/runtime/lib/nodes') as NodeRedModules['nodes'],
    red: load('./lib/red.js') as NodeRedModules['red'],
  };
  modules = found;
  const { hooks } = found.util;
  type Message = { _msgid: string };
  hooks.add('onReceive.probe', ({ msg, destination }: { msg: Message; destination: HookedNode }) => {
    const key = `${destination.id} ${msg._msgid}`;
    // After a deploy the gate gives its messages to itself again.
    if (!isOurs(destination) || open.has(key) || over.has(key)) return;
    if (found.nodes.getNode(destination.id) !== destination.node) {
      counts.missed += 1;
      return;
    }
    counts.received += 1;
    open.add(key);
  });
  hooks.add('onSend.probe', (events: { source: HookedNode & { node: object } }[]) => {
    for (const { source } of events) {
      const { type } = source.node;
      if (type.startsWith('authy-') && found.nodes.getNode(source.id) !== source.node) {
        sentAfterClose.push(`${type} ${source.id}`);
      }
    }
  });
  hooks.add('onComplete.probe', ({ msg, node }: { msg: Message; node: HookedNode }) => {
    if (!isOurs(node)) return;
    const key = `${node.id} ${msg._msgid}`;
    if (open.delete(key)) counts.ended += 1;
    else counts.twice += 1;
    over.add(key);
  });
  return found;
}

function layersOf(stack: Layer[]): number {
  return stack.reduce((sum, { handle, route }) => sum + 1 + layersOf(handle?.stack ?? route?.stack ?? []), 0);
}

function listenersOf(emitter: NodeJS.EventEmitter): number {
  return emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0);
}

async function figures(): Promise<Figures> {
  const { util, red } = follow();
  // The entries that recognise a second ending must not be taken for a leak.
  over.clear();
  for (let time = 0; time < 4; time++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  const resources = process.getActiveResourcesInfo();
  const active = (type: string): number => resources.filter((name) => name === type).length;
  return {
    heap: heapUsed,
    external,
    peak: process.resourceUsage().maxRSS * 1024,
    listeners: listenersOf(util.events) + listenersOf(process),
    routes: [red.httpAdmin, red.httpNode].reduce(
      (sum, app) => sum + layersOf((app.lazyrouter === undefined ? app.router : app._router)?.stack ?? []),
      0,
    ),
    sockets: active('TCPSocketWrap'),
    servers: active('TCPServerWrap'),
    timers: timers.size,
    messages: { ...counts, open: open.size },
    sentAfterClose,
    unhandled,
    warnings,
  };
}

// npm and other children of Node-RED inherit the option, and need no probe.
if (/red\.js$/.test(process.argv[1] ?? '')) {
  http
    .createServer((_request, response) => {
      const answer = (status: number, body: unknown): void => {
        response.writeHead(status, { Connection: 'close' }).end(JSON.stringify(body));
      };
      figures().then(
        (found) => answer(200, found),
        (error: unknown) => answer(500, String(error)),
      );
    })
    .listen(Number(process.env['PROBE_PORT']), '127.0.0.1')
    .unref();
}

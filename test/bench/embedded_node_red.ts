import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type FlowNode, packageName, root, temporaryDirectory } from '../support/node_red';

/** A message on its way through a flow. */
export type Message = Record<string, unknown>;

/** A running node. */
export interface RunningNode {
  receive(message: Message): void;
  on(event: 'input', handle: (message: Message, send: unknown, done: () => void) => void): void;
}

/** The parts of Node-RED, as a library, that are used here. */
interface Library {
  init(server: http.Server, settings: object): void;
  httpNode: http.RequestListener;
  start(): Promise<void>;
  stop(): Promise<void>;
  nodes: { getNode(id: string): RunningNode | null };
  runtime: { flows: { setFlows(options: object): Promise<unknown> }; events: NodeJS.EventEmitter };
}

/** A Node-RED in this process, without an editor. There can be only one. */
export class EmbeddedNodeRed {
  private constructor(
    private readonly library: Library,
    private readonly server: http.Server,
  ) {}

  /** Starts it with the built package and with these flows. @param servesNodes - by {@link url} */
  static async start(
    flows: readonly FlowNode[],
    { userDir = temporaryDirectory(), servesNodes = false } = {},
  ): Promise<EmbeddedNodeRed> {
    const link = path.join(userDir, 'node_modules', packageName);
    fs.mkdirSync(path.dirname(link), { recursive: true });
    fs.symlinkSync(root, link, 'junction');
    const server = http.createServer((request, response) => library.httpNode(request, response));
    const library = (await import('node-red')).default as unknown as Library;
    library.init(server, {
      userDir,
      httpAdminRoot: false,
      httpNodeRoot: servesNodes ? '/' : false,
      logging: { console: { level: 'error' } },
      credentialSecret: 'bench',
    });
    const { events } = library.runtime;
    const ready = once(events, 'flows:started');
    await library.start();
    await ready;
    const deployed = once(events, 'flows:started');
    await library.runtime.flows.setFlows({ flows: { flows }, deploymentType: 'full' });
    await deployed;
    if (servesNodes) await once(server.listen(0, '127.0.0.1'), 'listening');
    return new EmbeddedNodeRed(library, server);
  }

  /** Where its http nodes are. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** A node that runs. */
  node(id: string): RunningNode {
    const node = this.library.nodes.getNode(id);
    if (node === null) throw new Error(`The node "${id}" does not run.`);
    return node;
  }

  async stop(): Promise<void> {
    this.server.close();
    await this.library.stop();
  }
}

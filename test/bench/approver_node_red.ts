import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ApproverClient, PasskeyPhone, type ShownRequest } from '../support/approver_client';
import { approverPage } from '../support/approver_process_flow';
import { EventStream } from '../support/event_stream';
import { type Invited, invite, withFilePeople } from '../support/invited_people';
import { eventually } from '../support/node_red';
import type { FromNodeRed, ToNodeRed, Usage } from './approver_process';

/** Where files need no disk; undefined if this system has no such place. */
export const inMemory = fs.existsSync('/dev/shm') ? '/dev/shm' : undefined;

/** A request that waits for its answer, with what its phone has to send. */
export interface Ready {
  readonly no: number;
  readonly phone: PasskeyPhone;
  readonly answer: { readonly id: string; readonly credential: object };
}

/** A Node-RED in a process of its own, with people who have phones: seen from the process that measures. */
export class ApproverNodeRed {
  private last = 0;
  private readonly leaving = new Map<number, (at: bigint) => void>();

  private constructor(
    private readonly process: ChildProcess,
    private readonly userDir: string,
    private readonly url: string,
    private readonly people: readonly Invited[],
    readonly phones: readonly PasskeyPhone[],
  ) {
    process.on('message', (message: FromNodeRed) => {
      if (message.kind !== 'left') return;
      this.leaving.get(message.no)?.(BigInt(message.at));
      this.leaving.delete(message.no);
    });
  }

  /** @param where - the folder to make its user directory in @param count - of people, each with a phone */
  static async start(where: string, count: number): Promise<ApproverNodeRed> {
    const userDir = fs.mkdtempSync(path.join(where, 'authy-bench-'));
    const people = await withFilePeople({ userDir }, (all) => invite(all, count));
    const child = fork(path.join(__dirname, 'approver_process.ts'), [userDir], {
      execArgv: ['--expose-gc', '--import', 'tsx'],
    });
    const [{ url }] = (await once(child, 'message')) as [FromNodeRed & { kind: 'started' }];
    const phones: PasskeyPhone[] = [];
    for (const [index, { token }] of people.entries()) {
      const from = `10.0.${index >> 8}.${index & 255}`;
      const phone = new PasskeyPhone(new ApproverClient(url, approverPage, '/approve', from));
      await phone.enrol(token);
      phones.push(phone);
    }
    return new ApproverNodeRed(child, userDir, url, people, phones);
  }

  /** Asks some people, each once, and prepares their answers. */
  async ready(count: number): Promise<Ready[]> {
    const asked = this.people.slice(0, count).map(({ authyId }, index) => {
      const no = (this.last += 1);
      this.send({ kind: 'ask', no, authyId });
      return { no, phone: this.phones[index] as PasskeyPhone };
    });
    const ready: Ready[] = [];
    for (const { no, phone } of asked) {
      const { id } = await eventually('a request', async (): Promise<ShownRequest | undefined> => {
        const [first] = await phone.browser.requests();
        return first;
      });
      const { options } = await phone.browser.done('approve-options', { id });
      ready.push({ no, phone, answer: { id, credential: phone.sign(options) } });
    }
    return ready;
  }

  /** Approves. @returns how long it takes from the request to the message that leaves, in milliseconds */
  async tap({ no, phone, answer }: Ready): Promise<number> {
    const left = new Promise<bigint>((resolve) => this.leaving.set(no, resolve));
    const begun = process.hrtime.bigint();
    const { status } = await phone.browser.call('approve', answer);
    if (status !== 200) throw new Error(`An approval was answered ${status}.`);
    return Number((await left) - begun) / 1e6;
  }

  /** Sends the same to an http in node, whose flow answers at once. @returns in milliseconds */
  async plain({ phone, answer }: Ready): Promise<number> {
    const begun = performance.now();
    await new ApproverClient(this.url, approverPage, '/plain', phone.browser.from).request(
      'POST',
      '',
      JSON.stringify(answer),
      { 'Content-Type': 'application/json', Cookie: phone.browser.cookie },
    );
    return performance.now() - begun;
  }

  /** Opens the page's stream on so many browsers. */
  async listen(count: number): Promise<EventStream[]> {
    const streams = Array.from(
      { length: count },
      (_item, index) => new EventStream((this.phones[index % this.phones.length] as PasskeyPhone).browser),
    );
    await eventually(
      'all streams to be open',
      () => streams.every(({ changes }) => changes > 0) || undefined,
    );
    return streams;
  }

  /** The processor time and the memory that it has used, after a garbage collection. */
  async usage(): Promise<Usage> {
    this.send({ kind: 'usage' });
    for (;;) {
      const [message] = (await once(this.process, 'message')) as [FromNodeRed];
      if (message.kind === 'usage') return message;
    }
  }

  async stop(): Promise<void> {
    this.process.disconnect();
    await once(this.process, 'exit');
    fs.rmSync(this.userDir, { recursive: true, force: true });
  }

  private send(message: ToNodeRed): void {
    this.process.send(message);
  }
}

/** The folder for files on a disk. */
export const onDisk = os.tmpdir();

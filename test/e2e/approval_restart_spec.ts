import should from 'should';
import { approvalFlow } from '../support/approval_flow';
import { AuthyPhones } from '../support/authy_phones';
import { Collector } from '../support/collector';
import { eventually, NodeRed, type Runtime, runtimes } from '../support/node_red';

for (const runtime of runtimes) describeRestart(runtime);

function describeRestart(runtime: Runtime): void {
  describe(`open approvals when Node-RED ${runtime.version}x is killed`, function () {
    this.timeout(120_000);
    let phones: AuthyPhones;
    let collector: Collector;
    let nodeRed: NodeRed | undefined;

    before(async function () {
      this.timeout(600_000);
      phones = await new AuthyPhones().start();
      collector = await new Collector().start();
      nodeRed = await NodeRed.start(this, runtime, {
        settings: {
          contextStorage: {
            default: { module: 'memory' },
            file: { module: 'localfilesystem' },
            // Each change is on the disk before it counts.
            durable: { module: 'localfilesystem', config: { base: 'durable', cache: false } },
          },
        },
      });
      phones.callbacksTo(`${nodeRed.nodeUrl}callback`);
    });
    after(async () => {
      await nodeRed?.stop();
      await collector.stop();
      await phones.stop();
    });

    const red = (): NodeRed => nodeRed as NodeRed;

    async function deploy(approvalStore: string, timeout: number): Promise<void> {
      await red().deploy(
        approvalFlow({
          baseUrl: phones.url,
          apiKey: phones.apiKey,
          collector: collector.url,
          gate: {
            timeout: String(timeout),
            maxOpen: 0,
            details: '{"No": $string(no)}',
            detailsType: 'jsonata',
          },
          account: { approvalStore },
        }),
      );
    }

    async function ask(no: number, authyId: string): Promise<void> {
      const response = await fetch(`${red().nodeUrl}ask`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ no, authyId }),
      });
      should(response.status).equal(202);
    }

    /** The number of the message that each open request on the phone is about. */
    async function numbered(authyId: string, count: number): Promise<Map<number, string>> {
      const pending = await phones.pending(authyId, count);
      return new Map(pending.map(({ uuid, details }) => [Number(details?.['No']), uuid]));
    }

    it('in a durable store, messages go on waiting, and decisions made meanwhile are handed on, once', async () => {
      const timeout = 40;
      await deploy('context:durable', timeout);
      const authyId = await phones.newUser();
      const numbers = Array.from({ length: 20 }, (_, index) => 100 + index);
      for (const no of numbers) await ask(no, authyId);
      const uuids = await numbered(authyId, numbers.length);
      const uuidOf = (no: number): string => uuids.get(no) ?? '';
      // These two are handed on before the kill, and must not be handed on again. A request that is asked for after
      // them is also written after them: then the disk knows that they have ended.
      for (const no of [100, 101]) await phones.answer(uuidOf(no), 'approve');
      await eventually('the first two outcomes', () => (collector.reports.length >= 2 ? true : undefined));
      await ask(120, authyId);
      numbers.push(120);
      for (const [no, uuid] of await numbered(authyId, 19)) uuids.set(no, uuid);
      // A request is on the phone before the gate has the answer; a kill in between would make it unknown.
      await eventually(
        'the store to know that the last request is on the phone',
        async () =>
          JSON.stringify(await red().get('context/node/gate?store=durable')).includes(uuidOf(120)) ||
          undefined,
      );

      await red().kill();
      for (const no of [102, 103, 104, 105]) await phones.answer(uuidOf(no), 'approve');
      for (const no of [106, 107, 108]) await phones.answer(uuidOf(no), 'deny');
      await red().startAgain();
      for (const no of [109, 110]) await phones.answer(uuidOf(no), 'approve');
      await phones.answer(uuidOf(111), 'deny');

      await eventually(
        'every outcome',
        () => (collector.reports.length >= numbers.length ? true : undefined),
        timeout + 20,
      );
      const expected = (no: number): string[] => {
        if (no <= 105 || no === 109 || no === 110) return ['approved'];
        return no <= 108 || no === 111 ? ['denied'] : ['expired'];
      };
      for (const no of numbers) should(collector.outcomesOf(no)).eql(expected(no), `message ${no}`);
      should(collector.reports).have.length(numbers.length);
    });

    it('in a file store with default settings, messages go on waiting after Node-RED was stopped properly', async () => {
      collector.reports.length = 0;
      await deploy('context:file', 60);
      const authyId = await phones.newUser();
      const numbers = [150, 151, 152];
      for (const no of numbers) await ask(no, authyId);
      const uuids = await numbered(authyId, numbers.length);
      await red().stop();
      await phones.answer(uuids.get(150) ?? '', 'approve');
      await red().startAgain();
      await phones.answer(uuids.get(151) ?? '', 'deny');
      await phones.answer(uuids.get(152) ?? '', 'approve');
      await eventually('every outcome', () => (collector.reports.length >= 3 ? true : undefined), 40);
      should(numbers.map((no) => collector.outcomesOf(no))).eql([['approved'], ['denied'], ['approved']]);
    });

    it('in memory, open messages are lost with the process, and none is decided by mistake', async () => {
      collector.reports.length = 0;
      await deploy('context', 60);
      const authyId = await phones.newUser();
      await ask(200, authyId);
      const uuid = (await numbered(authyId, 1)).get(200) ?? '';
      await red().kill();
      await red().startAgain();
      await phones.answer(uuid, 'approve');
      // Another request on the same gate shows that it runs, and that the first one has gone.
      await ask(201, authyId);
      await phones.answer((await numbered(authyId, 1)).get(201) ?? '', 'deny');
      await eventually('the outcome of the second', () => (collector.reports.length > 0 ? true : undefined));
      should(collector.reports.map(({ no, outcome }) => [no, outcome])).eql([[201, 'denied']]);
    });

    it('if Node-RED is killed again and again in the middle of the work, no decision is handed on twice', async () => {
      collector.reports.length = 0;
      await deploy('context:durable', 110);
      const authyId = await phones.newUser();
      const numbers = Array.from({ length: 30 }, (_, index) => 300 + index);
      for (const no of numbers) await ask(no, authyId);
      const uuids = await numbered(authyId, numbers.length);
      for (const part of [0, 10, 20]) {
        const answering = numbers
          .slice(part, part + 10)
          .map((no) => phones.answer(uuids.get(no) ?? '', 'approve'));
        // As soon as the first of them has left, while the others are on their way.
        const before = collector.reports.length;
        await eventually('an outcome', () => (collector.reports.length > before ? true : undefined));
        await red().kill();
        await Promise.all(answering);
        await red().startAgain();
      }
      const decisions = (no: number): string[] =>
        collector.outcomesOf(no).filter((outcome) => outcome === 'approved');
      const isUnknown = (no: number): boolean => collector.outcomesOf(no).includes('AUTHY_OUTCOME_UNKNOWN');
      const accounted = (): number[] => numbers.filter((no) => collector.outcomesOf(no).length > 0);
      // Only a report that had left the gate when its process ended may be missing.
      await eventually('most outcomes', () => (accounted().length >= 20 ? true : undefined), 40);
      for (const no of numbers) {
        should(decisions(no).length).be.belowOrEqual(1, `decisions of message ${no}`);
        // If nobody knows whether a decision was handed on, an error says so, with or without a decision before it.
        if (decisions(no).length === 0 && accounted().includes(no)) should(isUnknown(no)).be.true();
      }
      const decided = numbers.filter((no) => decisions(no).length === 1).length;
      process.stdout.write(
        `      of ${numbers.length}: ${decided} decided once, 0 twice, ` +
          `${numbers.filter(isUnknown).length} unknown\n`,
      );
    });
  });
}

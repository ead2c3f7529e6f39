import fs from 'node:fs';
import path from 'node:path';
import should from 'should';
import type { ApprovalRequest, Person } from '../../nodes/lib/contract/people';
import { ApproverClient, type PasskeyPhone, type ShownRequest } from '../support/approver_client';
import { approverFlow, approverPage } from '../support/approver_process_flow';
import { Collector } from '../support/collector';
import { EventStream } from '../support/event_stream';
import { type Invited, invite, twoPhones, withFilePeople } from '../support/invited_people';
import { type DeployType, eventually, NodeRed, type Runtime, runtimes } from '../support/node_red';
import { listOf } from '../support/people';
import { Random } from '../support/random';
import { runs } from '../support/runs';
import { Witness } from '../support/witness';

const [runtime] = runtimes as [Runtime];

/** `RUNS=20` makes it 5,000. */
const count = runs(250);
const persons = Math.ceil(count / 12);
/** So many messages between two crashes. */
const stretch = 250;
/** In seconds. The phones answer within the first half of it, or not at all. */
const timeout = 12;
/** How long a message may wait for its outcome to be handed on after that, in seconds. */
const grace = 10;
/** The gate cannot tell an answer in the last second from a late one. In milliseconds. */
const lastMoment = 1000;

type Plan = 'approve' | 'deny' | 'notMe' | 'both' | 'contradict' | 'twice' | 'silent';

/** An answer that a phone has sent. */
interface Sent {
  readonly no: number;
  readonly id: string;
  readonly authyId: string;
  readonly decision: 'approved' | 'denied';
  /** Of the answer; undefined if none came: then nobody knows. */
  readonly status: number | undefined;
  readonly error: unknown;
}

interface Owner extends Invited {
  readonly phones: readonly [PasskeyPhone, PasskeyPhone];
}

describe(`The approver: ${count} approvals, deploys and crashes`, function () {
  this.timeout(60_000 + count * 300);
  let collector: Collector;
  let witness: Witness;
  let nodeRed: NodeRed;
  let owners: Owner[];
  const random = new Random();

  before(async function () {
    this.timeout(600_000);
    collector = await new Collector().start();
    witness = new Witness();
    nodeRed = await NodeRed.start(this, runtime, { env: witness.env });
  });
  after(async () => {
    await (nodeRed as NodeRed | undefined)?.stop();
    await collector.stop();
  });

  const flows = (gate: Record<string, unknown> = {}): ReturnType<typeof approverFlow> =>
    approverFlow({
      collector: collector.url,
      gate: {
        timeout: String(timeout),
        maxOpen: 0,
        details: '{"No": $string(no)}',
        detailsType: 'jsonata',
        ...gate,
      },
      account: { approvalStore: 'files' },
    });

  async function enrolAll(): Promise<void> {
    const invited = await withFilePeople(nodeRed, (people) => invite(people, persons));
    await nodeRed.deploy(flows());
    const server = nodeRed.nodeUrl.replace(/\/$/, '');
    owners = [];
    for (const [index, one] of invited.entries()) {
      // Each phone has an address of its own: strangers are counted by it.
      let last = 0;
      const browser = (): ApproverClient =>
        new ApproverClient(
          server,
          approverPage,
          '/approve',
          `10.${(last += 1)}.${index >> 8}.${index & 255}`,
        );
      owners.push({ ...one, phones: await twoPhones(one, browser) });
    }
  }

  const sent: Sent[] = [];
  let refusedByLimit = 0;

  /** Has a phone answer. Never rejects: Node-RED may be gone at any point. */
  async function answer(
    { authyId }: Owner,
    phone: PasskeyPhone,
    { id, no }: { id: string; no: number },
    decision: Sent['decision'],
    notMe = false,
  ): Promise<void> {
    let answered: Awaited<ReturnType<ApproverClient['call']>> | undefined;
    try {
      answered =
        decision === 'approved' ? await phone.approve(id) : await phone.browser.call('deny', { id, notMe });
    } catch {
      // The connection broke: it may have been carried out.
    }
    const error = answered?.body['error'];
    if (error === 'tooMany') refusedByLimit += 1;
    sent.push({ no, id, authyId, decision, status: answered?.status, error });
  }

  /** The requests that a phone shows; undefined if its page cannot be had. */
  async function reloaded(phone: PasskeyPhone): Promise<readonly ShownRequest[] | undefined> {
    const answered = await phone.browser.call('state').catch(() => undefined);
    if (answered?.status !== 200) return undefined;
    should(answered.body['signedIn']).equal(true);
    return answered.body['requests'] as ShownRequest[];
  }

  const numberOf = ({ details }: Pick<ApprovalRequest, 'details'>): number => Number(details[0]?.[1]);

  it('each message ends once, as its person has answered, and nothing stays open', async () => {
    process.stdout.write(`      seed ${random.seed}, ${persons} people with two phones each\n`);
    await enrolAll();
    const state = { isFed: false, isOver: false };
    const askedFor = new Map<number, string>();
    const plans = new Map<number, Plan>();
    let back = 0;

    const feeding = (async () => {
      const asking = new Set<Promise<unknown>>();
      const steps = new Map<number, () => Promise<unknown>>();
      const at = (share: number, step: () => Promise<unknown>): void =>
        void steps.set(Math.floor(stretch * share), step);
      const deploy = (type: DeployType, gate: Record<string, unknown>) => () =>
        nodeRed.deploy(flows(gate), type);
      const crash = async (): Promise<void> => {
        const gone = Date.now();
        await nodeRed.kill();
        await nodeRed.startAgain();
        back = Math.max(back, Date.now() - gone);
      };
      at(0.2, deploy('full', {}));
      at(0.4, deploy('nodes', { name: 'renamed' }));
      at(0.6, crash);
      at(0.8, deploy('flows', { name: 'renamed again' }));
      for (let no = 1; no <= count; no++) {
        const { authyId } = random.pick(owners);
        askedFor.set(no, authyId);
        const chance = random.next();
        plans.set(
          no,
          chance < 0.005
            ? 'notMe'
            : random.pick(['approve', 'approve', 'approve', 'deny', 'both', 'contradict', 'twice', 'silent']),
        );
        // A message to a process that is ending does not reach the gate.
        const asked = fetch(`${nodeRed.nodeUrl}ask`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ no, authyId }),
        })
          .then((response) => response.arrayBuffer())
          .catch(() => undefined);
        asking.add(asked);
        await new Promise((resolve) => setTimeout(resolve, 30));
        // Meanwhile the phones go on answering.
        await steps.get(no % stretch)?.();
      }
      await Promise.all(asking);
      state.isFed = true;
    })();

    /** A person with two phones: looks at the page now and then, and answers as planned. */
    const living = owners.map(async (owner) => {
      const streams: EventStream[] = [];
      const answering = new Set<Promise<void>>();
      const done = new Set<string>();
      while (!state.isOver) {
        const phone = random.pick(owner.phones);
        if (random.happens(0.3)) streams.push(new EventStream(phone.browser));
        if (streams.length > 0 && random.happens(0.3)) streams.shift()?.close();
        const shown = await reloaded(phone);
        for (const request of shown ?? []) {
          const { id } = request;
          const no = numberOf(request as unknown as ApprovalRequest);
          should(askedFor.get(no)).equal(owner.authyId);
          const plan = plans.get(no);
          if (plan === undefined || plan === 'silent' || done.has(id)) continue;
          done.add(id);
          const [one, other] = random.happens(0.5) ? owner.phones : [...owner.phones].reverse();
          const by = (which: PasskeyPhone | undefined, decision: Sent['decision']): Promise<void> =>
            answer(owner, which as PasskeyPhone, { id, no }, decision, plan === 'notMe');
          const carryOut = async (): Promise<void> => {
            await new Promise((resolve) => setTimeout(resolve, random.next() * timeout * 250));
            if (plan === 'approve') await by(one, 'approved');
            if (plan === 'deny' || plan === 'notMe') await by(one, 'denied');
            if (plan === 'both') await Promise.all([by(one, 'approved'), by(other, 'approved')]);
            if (plan === 'contradict') await Promise.all([by(one, 'approved'), by(other, 'denied')]);
            if (plan === 'twice') {
              await by(one, 'approved');
              await by(one, 'approved');
            }
            // What did not reach Node-RED is tried again with the next look at the page.
            const mine = sent.filter((each) => each.id === id);
            if (!mine.some(({ status, error }) => status === 200 || error === 'answered')) done.delete(id);
          };
          const carrying = carryOut();
          answering.add(carrying);
          void carrying.finally(() => answering.delete(carrying));
        }
        await new Promise((resolve) => setTimeout(resolve, 500 + random.next() * 1500));
      }
      await Promise.all(answering);
      for (const stream of streams) stream.close();
    });

    await feeding;
    await eventually(
      'no request to be left',
      () => (files().length === 0 ? true : undefined),
      timeout + grace + 60,
    );
    state.isOver = true;
    await Promise.all(living);

    // ---- what the pages show at the end
    const histories = new Map<number, string>();
    for (const { phones } of owners) {
      const { requests, history } = await phones[0].browser.state();
      should(requests).eql([]);
      for (const one of history as (ApprovalRequest & { outcome: string })[])
        histories.set(numberOf(one), one.outcome);
    }

    // ---- what is stored at the end
    await nodeRed.terminate();
    const stored = await withFilePeople(nodeRed, (people) => listOf(people.all()));
    const ends = witness.read();
    const left = witness.left();

    const tally = new Map<string, number>();
    const note = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);
    const problems: string[] = [];
    const requests = new Map(
      stored.flatMap((person) => person.requests ?? []).map((request) => [numberOf(request), request]),
    );
    for (const [no, outcomes] of ends) {
      note(outcomes[0] ?? (left.has(no) ? 'lost behind the gate' : 'never kept'));
      problems.push(...problemsOf(no, outcomes, requests.get(no), left.has(no), back));
      // What the person sees is what has become of it.
      const shown = histories.get(no);
      if (outcomes[0] === 'approved' && shown !== undefined && shown !== 'approved')
        problems.push(`message ${no} was approved, and the page shows ${shown}`);
    }
    for (const person of stored) problems.push(...problemsIn(person, askedFor));
    const answers = sent.filter(({ status }) => status === 200);
    for (const id of new Set(answers.map((one) => one.id))) {
      const accepted = answers.filter((one) => one.id === id).length;
      if (accepted > 1) problems.push(`the request ${id} was answered ${accepted} times`);
    }
    const lines = [...tally].map(([what, times]) => `      ${String(times).padStart(5)} ${what}`);
    process.stdout.write(
      `${lines.join('\n')}\n      ${sent.length} answers sent, ${answers.length} accepted, ` +
        `${sent.filter(({ status }) => status === undefined).length} of unknown fate, ${refusedByLimit} too many\n`,
    );
    should(problems).eql([]);
    should(tally.get('approved') ?? 0).be.above(ends.size / 3);
    should(tally.get('denied') ?? 0).be.above(0);
    should(tally.get('expired noAnswer') ?? 0).be.above(0);
  });

  /** The files of open requests. */
  function files(): string[] {
    try {
      const all = fs.readdirSync(path.join(nodeRed.userDir, 'authy-approvals'), {
        recursive: true,
      }) as string[];
      return all.filter((name) => /approval_\w+(?:\.\w+)?\.json$/.test(name));
    } catch {
      // It is being renamed by a Node-RED that starts.
      return ['?'];
    }
  }

  /**
   * What is wrong with the end of a message, in words.
   *
   * @param request - as it is stored
   * @param back - how long Node-RED was away at most, in milliseconds
   */
  function problemsOf(
    no: number,
    outcomes: readonly string[],
    request: ApprovalRequest | undefined,
    hasLeft: boolean,
    back: number,
  ): string[] {
    const all = sent.filter((one) => one.no === no);
    const accepted = all.find(({ status }) => status === 200);
    const [outcome, ...more] = outcomes;
    const problems: string[] = [];
    if (more.length > 0) problems.push(`message ${no} ended ${outcomes.join(', ')}`);
    // A phone whose connection broke may have approved.
    const mayBe = (decision: Sent['decision']): boolean =>
      all.some((one) => one.decision === decision && (one.status === 200 || one.status === undefined));
    if (outcome === 'approved' && !mayBe('approved')) problems.push(`message ${no}: nobody has approved it`);
    if (outcome === 'denied' && !mayBe('denied')) problems.push(`message ${no}: nobody has denied it`);
    if (accepted === undefined) return problems;
    if (request?.answer?.decision !== accepted.decision)
      problems.push(`message ${no}: the answer that was accepted is not stored`);
    const left = (request?.expiresAt ?? 0) - (request?.answer?.at ?? 0);
    const isHonoured =
      outcome === accepted.decision ||
      // The process ended while it was handed on, or before it knew that the request was on the phone.
      outcome === 'AUTHY_OUTCOME_UNKNOWN' ||
      (outcome === undefined && hasLeft) ||
      (outcome === 'expired late' && left < lastMoment) ||
      (outcome === 'expired overdue' && left < back - grace * 1000);
    if (!isHonoured) {
      problems.push(
        `message ${no}: ${accepted.decision} was accepted ${left} ms before the end; it ended ${outcome}`,
      );
    }
    return problems;
  }

  /** What is wrong with what is stored of a person. */
  function problemsIn({ authyId, requests = [] }: Person, askedFor: ReadonlyMap<number, string>): string[] {
    return requests.flatMap((request) => {
      const no = numberOf(request);
      const of = `the request of message ${no}`;
      const problems: string[] = [];
      if (askedFor.get(no) !== authyId) problems.push(`${of} is another person's`);
      const { answer, expiresAt } = request;
      if (answer === undefined && (expiresAt ?? Infinity) > Date.now()) problems.push(`${of} is open`);
      if (answer?.decision === 'approved' && !String(answer.proof?.text).includes(`"${request.id}"`))
        problems.push(`${of} was approved without a proof`);
      if (answer !== undefined && answer.at >= (expiresAt ?? Infinity))
        problems.push(`${of} was answered after its end`);
      return problems;
    });
  }
});

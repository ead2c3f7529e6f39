import { isDeepStrictEqual } from 'node:util';
import should from 'should';
import { approvalInputs } from '../../nodes/lib/approval/question';
import type { Refusal } from '../../nodes/lib/contract/service';
import { abilities } from '../../nodes/lib/services/authy/abilities';
import { type Inputs, type Operation, operations } from '../../nodes/lib/contract/operations';
import { approvalGate } from '../support/approval_gate';
import { shownLabel } from '../contract/panels';
import { onAuthy } from '../support/exchanges';
import { Flow, type FlowNode } from '../support/flow';
import { type InputName, inputCorpus, listCorpus, wrongInRow } from '../support/hostile_inputs';
import { eventually } from '../support/node_red';
import { ScriptedServer } from '../support/scripted_server';
import { Tally } from '../support/tally';

/** The types of a TypedInput. */
const kinds = ['str', 'num', 'bool', 'json', 'msg', 'flow', 'global', 'env', 'jsonata'] as const;
type Kind = (typeof kinds)[number];

/** What the panel of a node saves: a text and its type. */
interface Typed {
  value: string;
  type: Kind | 'list';
}

/** The JSON of exactly this value; undefined if there is none. */
function jsonOf(value: unknown): string | undefined {
  try {
    const json = JSON.stringify(value) as string | undefined;
    return json !== undefined && isDeepStrictEqual(JSON.parse(json), value) ? json : undefined;
  } catch {
    return undefined;
  }
}

/** How an input of this kind gets a value, from the variable or property `name`; undefined if it cannot. */
function typedBy(kind: Kind, value: unknown, name: string): Typed | undefined {
  const as = (text: string | undefined): Typed | undefined =>
    text === undefined || text === '' ? undefined : { value: text, type: kind };
  switch (kind) {
    case 'str':
      return as(typeof value === 'string' ? value : undefined);
    case 'num':
    case 'bool':
      return as(['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined);
    case 'json':
      return as(jsonOf(value));
    case 'env':
      // A variable cannot contain NUL; none of these values does.
      return typeof value === 'string' ? as(name) : undefined;
    case 'msg':
    case 'flow':
    case 'global':
      return as(name);
    case 'jsonata':
      return as(jsonOf(value) ?? name);
  }
}

/** One message to one node, with a value in one of its inputs. */
interface Case {
  title: string;
  node: FlowNode;
  kind: Typed['type'];
  input: string;
  name: string;
  value: unknown;
}

const nodes: readonly { type: string; inputs: Inputs; settings: object }[] = [
  ...Object.values(operations as unknown as Record<string, Operation>).map(({ node, inputs }) => ({
    type: node,
    inputs,
    settings: {},
  })),
  { type: 'authy-onetouch-approval', inputs: approvalInputs, settings: { ...approvalGate, maxOpen: 0 } },
];

/** The inputs of a request for an approval that Authy does not take, whatever their value: they are left blank. */
const notOfAuthy = Object.entries<Refusal>(abilities.onetouchSend.refuses)
  .filter(([, { accepts }]) => accepts === undefined)
  .map(([input]) => input);

/** A node whose inputs are all right, except one. */
function caseOf(
  { type, inputs, settings }: (typeof nodes)[number],
  input: string,
  typed: Typed,
  rest: Omit<Case, 'node'>,
): Case {
  const right = Object.keys(inputs).flatMap((other) => {
    const { right: value } = inputCorpus[other as InputName];
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    // If both are given, only the id is sent.
    const isAlternative = type === 'authy-phone-status' && other === 'verificationId';
    const isBlank = isAlternative || notOfAuthy.includes(other);
    return [
      [other, isBlank ? '' : text],
      [`${other}Type`, typeof value === 'string' ? 'str' : 'json'],
    ];
  });
  const node = {
    ...settings,
    id: rest.name,
    type,
    z: 'tab',
    account: 'account',
    ...(Object.fromEntries(right) as object),
    [input]: typed.value,
    [`${input}Type`]: typed.type,
  };
  return { ...rest, node };
}

let serial = 0;

function casesFor(node: (typeof nodes)[number], input: string, values: readonly unknown[]): Case[] {
  return values.flatMap((value) =>
    kinds.flatMap((kind) => {
      const name = `case${(serial += 1)}`;
      const typed = typedBy(kind, value, name);
      const shown =
        typeof value === 'symbol' || typeof value === 'bigint' ? String(value) : JSON.stringify(value);
      const title = `${node.type}, ${input} by ${kind}: ${typeof value} ${shown}`.slice(0, 120);
      return typed === undefined ? [] : [caseOf(node, input, typed, { title, kind, input, name, value })];
    }),
  );
}

/** Lists for an input: those given as text, and lists whose only row reads one of these values from the message. */
function casesOfLists(
  node: (typeof nodes)[number],
  input: string,
  lists: readonly string[],
  read: readonly unknown[],
): Case[] {
  const [rowName] = (JSON.parse(listCorpus[input]?.right ?? '[]') as { name: string }[]).map(
    ({ name }) => name,
  );
  const written = lists.map((list) => ({ list: (): string => list, value: undefined }));
  const reading = read.map((value) => ({
    list: (name: string): string => JSON.stringify([{ name: rowName, value: name, type: 'msg' }]),
    value,
  }));
  return [...written, ...reading].map(({ list, value }) => {
    const name = `case${(serial += 1)}`;
    const text = list(name);
    const title = `${node.type}, ${input} by list: ${text} ${String(value)}`.slice(0, 160);
    return caseOf(node, input, { value: text, type: 'list' }, { title, kind: 'list', input, name, value });
  });
}

/**
 * Whether an error begins with what its reader sees in the editor, and needs no more of: where the value comes from, or what
 * the panel calls the input. JavaScript's own words for values are not theirs.
 */
function begins({ node, kind, name, input }: Case, text: string): boolean {
  const label = shownLabel(node.type, input) ?? '';
  const before = `Set it before this node, or change “${label}” in the node.`;
  const endings: Readonly<Record<string, readonly [source: string, remedy: string]>> = {
    msg: [`msg.${name}`, before],
    flow: [`flow.${name}`, before],
    global: [`global.${name}`, before],
    env: [`Environment variable ${name}`, `Set it and restart Node-RED, or change “${label}” in the node.`],
    jsonata: [label, 'Change its JSONata expression in the node.'],
  };
  const [source, remedy] = endings[kind] ?? [label, 'Change it in the node.'];
  const isRow = kind === 'list' && /^(?:msg\.\w+|Environment variable .+) is missing\. Set it /.test(text);
  const origin =
    input === 'authyId' ? ' It comes from the node “create user”, or from the sidebar “Authy people”.' : '';
  const isWhole = text.startsWith(`${source} `) && text.endsWith(remedy + origin);
  return (isWhole || isRow) && !/\bgot\b|undefined|\bnull\b|NaN|\[object/.test(text);
}

describe('Attack: inputs', function () {
  this.timeout(120_000);
  const authy = new ScriptedServer();
  let flow: Flow | undefined;

  before(() => authy.start());
  after(() => authy.stop());
  beforeEach(() => authy.script({ status: 200, json: { success: false, message: 'No.' } }));
  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
    for (const name of Object.keys(process.env)) {
      // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
      if (/^case[0-9]+$/.test(name)) delete process.env[name];
    }
  });

  /** Sends each case its message; returns the titles of those that did not end once in this error. */
  async function wrongEndings(code: string, tried: readonly Case[]): Promise<string[]> {
    const running = await Flow.start(
      { id: 'idle', type: 'helper' },
      0,
      [
        {
          id: 'account',
          type: 'authy-config',
          service: 'authy',
          baseUrl: authy.url,
          deadline: 5,
          maxInFlight: 100,
        },
        ...tried.map(({ node }) => node),
      ],
      { account: { apiKey: 'hostile-inputs-key' } },
      { contextStorage: { default: { module: 'memory' } } },
    );
    flow = running;
    for (const { kind, name, value } of tried) {
      if (kind === 'flow' || kind === 'global') await running.leaveBehind(name, value, kind);
      if (kind === 'env') process.env[name] = value as string;
    }
    const tally = new Tally();
    tally.start(...tried.map(({ name }) => name));
    tried.forEach(({ name, value }, no) => {
      const message: Record<string, unknown> = { no, [name]: value };
      running.give(message, name);
    });
    await eventually(
      'every message to end',
      () =>
        (Object.values(tally.account()).flat().length === tried.length && tally.open.size === 0) || undefined,
      60,
    );
    tally.stop();
    const wrong = Object.entries(tally.account()).filter(([how]) => how !== `error ${code}`);
    const titles = wrong.flatMap(([how, messages]) =>
      messages.map((no) => `${tried[Number(no)]?.title ?? ''}: ${how}`),
    );
    const unclear = [...tally.texts].flatMap(([no, text]) => {
      const of = tried[Number(no)];
      return code !== 'AUTHY_INVALID_INPUT' || of === undefined || begins(of, text)
        ? []
        : [`${of.title}: begins with something else: ${text}`];
    });
    return [...tally.problems, ...titles, ...unclear];
  }

  for (const node of nodes) {
    if (Object.keys(node.inputs).length === 0) continue;

    it(`${node.type}: a wrong value of any type is refused, and nothing reaches the network`, async () => {
      const tried = Object.entries(node.inputs).flatMap(([input, { required }]) => {
        const { refused } = inputCorpus[input as InputName];
        return casesFor(
          node,
          input,
          refused.filter((value) => required || value != null),
        );
      });
      const before = authy.connections;
      should(await wrongEndings('AUTHY_INVALID_INPUT', tried)).eql([]);
      authy.seen.length.should.equal(0);
      (authy.connections - before).should.equal(0);
      process.stdout.write(`      ${tried.length} refused, 0 requests, 0 connections\n`);
    });

    // What Authy does not do is read all the same, and then refused.
    const isDone = onAuthy.some((name) => operations[name].node === node.type);
    const isSent = isDone || node.type === 'authy-onetouch-approval';
    const end = isSent ? 'reaches the network' : 'is read';
    it(`${node.type}: a right value of any type that can hold it ${end}`, async () => {
      const inputs = Object.keys(node.inputs).filter((input) => !notOfAuthy.includes(input));
      const tried = inputs.flatMap((input) => {
        const { right } = inputCorpus[input as InputName];
        // The types num, bool and env fit only values of their own type: a code of digits is a text, not a number.
        return casesFor(node, input, [right]).filter(
          ({ kind }) =>
            (kind !== 'num' || typeof right === 'number') &&
            (kind !== 'bool' || typeof right === 'boolean') &&
            (kind !== 'env' || typeof right === 'string'),
        );
      });
      const code = isSent ? 'AUTHY_BAD_RESPONSE' : 'AUTHY_NOT_SUPPORTED';
      should(await wrongEndings(code, tried)).eql([]);
      authy.seen.length.should.equal(isSent ? tried.length : 0);
    });

    const listed = Object.keys(node.inputs).filter((input) => node.inputs[input]?.ofEntries !== undefined);
    if (listed.length === 0) continue;

    it(`${node.type}: a wrong list is refused, and nothing reaches the network`, async () => {
      const tried = listed.flatMap((input) =>
        casesOfLists(node, input, listCorpus[input]?.refused ?? [], wrongInRow),
      );
      const before = authy.connections;
      should(await wrongEndings('AUTHY_INVALID_INPUT', tried)).eql([]);
      authy.seen.length.should.equal(0);
      (authy.connections - before).should.equal(0);
      process.stdout.write(`      ${tried.length} refused, 0 requests, 0 connections\n`);
    });

    it(`${node.type}: a right list reaches the network`, async () => {
      const tried = listed.flatMap((input) =>
        casesOfLists(node, input, [listCorpus[input]?.right ?? ''], []),
      );
      should(await wrongEndings('AUTHY_BAD_RESPONSE', tried)).eql([]);
      authy.seen.length.should.equal(tried.length);
    });
  }
});

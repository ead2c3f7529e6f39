import fs from 'node:fs';
import path from 'node:path';
import type { Core } from './world';

/** A fault that this package once had, or could have: put back into a copy of the module that keeps it out. */
export interface Fault {
  readonly name: string;
  /** The world to begin with, where it takes rare ones. */
  readonly from?: number;
  /** Of `nodes/lib/approval/`; or the stand-in for Redis, which does what its scripts do. */
  readonly file: string;
  /** What keeps it out, which stands there once, and what stood there before. */
  readonly changes: readonly (readonly [now: string, before: string])[];
}

const standIn = 'redis_stand_in.ts';

export const faults: readonly Fault[] = [
  {
    name: 'an approval leaves however long the store took',
    file: 'course.ts',
    changes: [
      [
        "return isOverdue ? expired('overdue', this.time.wall(), outcome.answer) : outcome;",
        'return outcome;',
      ],
    ],
  },
  {
    name: 'what is claimed is handed on although the node is closed',
    file: 'course.ts',
    changes: [
      ['    } else if (this.isClosing) {', '    } else if (this.time.wall() < 0) {'],
      ["request.is('decided') && (isFinal() || !this.isClosing)", "request.is('decided')"],
    ],
  },
  {
    name: 'an error is raised although the node is closed',
    file: 'gate.ts',
    changes: [
      [
        '    if (this.course.isClosing) {\n      this.host.log(',
        '    if (this.host.nodeId === "") {\n      this.host.log(',
      ],
    ],
  },
  {
    name: 'the wall clock is believed after a restart',
    from: 4_500,
    file: 'gate.ts',
    changes: [
      ["if (isClockWrong) request.decide(expired('clock', this.time.wall()));", 'void isClockWrong;'],
      ['    request.markRestored();\n', ''],
    ],
  },
  {
    name: 'an answer counts for messages that came after it',
    file: 'course.ts',
    changes: [['record.joinedAfter = joinedAfter(request, leader);', 'void joinedAfter;']],
  },
  {
    name: 'a message that joins waits as long as the one that asked',
    file: 'course.ts',
    changes: [
      [
        'record.lifetime = Math.min(lifetime, began + record.lifetime);',
        'record.lifetime = lifetime; void began;',
      ],
    ],
  },
  {
    name: 'an answer without times counts whenever it is seen',
    from: 3_400,
    file: 'outcome.ts',
    changes: [["return isBeforeEnd ? undefined : 'clock';", 'return undefined;']],
  },
  {
    name: 'a late answer counts',
    file: 'outcome.ts',
    changes: [
      ["return after - accuracy < lifetime && isBeforeEnd ? undefined : 'late';", 'return undefined;'],
    ],
  },
  {
    name: 'a withdrawal is not told to the other instances',
    file: 'gate.ts',
    changes: [
      ['        this.opened?.records.withdrawElsewhere(approvalId, () => !this.course.isClosing),\n', ''],
    ],
  },
  {
    name: 'a withdrawal does not wait for the store',
    file: 'course.ts',
    changes: [
      ["if (request.is('decided')) await (this.claims.get(request) ?? this.startClaim(request));", ''],
      ["    if (isOpen) request.step('withdrawn');", '    if (isOpen) request.end = undefined;'],
    ],
  },
  {
    name: 'a claim overtakes what is being written',
    from: 204_765,
    file: 'course.ts',
    changes: [
      [
        'const claim = await this.atStore.do(request, () => request.records.claim(record, isFinal()));',
        'const claim = await request.records.claim(record, isFinal());',
      ],
    ],
  },
  {
    name: 'whoever holds something is dead before its first sign of life',
    from: 9_300,
    file: 'redis_stand_in.ts',
    changes: [
      ["    this.zadd('instances', this.now, instance);\n  }\n\n  private write", '  }\n\n  private write'],
    ],
  },
  {
    name: 'those that wait for a request are forgotten where it is never sent',
    from: 920_751_205,
    file: 'course.ts',
    changes: [["if (isOnItsWay(before) && request.is('decided', 'ended')) this.leave(request);", '']],
  },
  {
    name: 'a message that is withdrawn while it is being sent is counted for ever',
    file: 'gate.ts',
    changes: [
      [
        'if (isOnItsWay(before) && !isOnItsWay(request.stage)) this.host.badge.end();',
        "if (isOnItsWay(before) && !isOnItsWay(request.stage) && !request.is('decided')) this.host.badge.end();",
      ],
    ],
  },
  {
    name: 'what the store hands over is taken by two at once',
    file: 'gate.ts',
    changes: [['this.takingOver ??= this.takeAll()', 'this.takingOver = this.takeAll()']],
  },
  {
    name: 'a stop leaves in the store that something was sent, which was not',
    file: 'course.ts',
    changes: [["    record.state = 'unsent';\n    await this.insist(", '    await this.insist(']],
  },
  {
    name: 'a deploy forgets what the store has not been told',
    from: 28_738,
    file: 'gate.ts',
    changes: [['    for (const request of ending) this.finish(request);\n', '    void ending;\n']],
  },
  {
    name: 'a request is sent before it is kept',
    file: 'course.ts',
    changes: [
      [
        'isHeld = await request.records.create(record, this.isWanted);',
        'isHeld = true; void request.records.create(record, this.isWanted).catch(() => undefined);',
      ],
    ],
  },
  {
    name: 'a decision leaves without a claim',
    file: 'course.ts',
    changes: [
      [
        'const claim = await this.atStore.do(request, () => request.records.claim(record, isFinal()));',
        "const claim = await Promise.resolve<Claim>('ours');",
      ],
    ],
  },
  {
    name: 'whoever was taken for dead can still change what another instance has taken over',
    file: standIn,
    changes: [
      [
        '      found.holder === instance &&\n      found.epoch === epoch &&\n      Number(found.no) < Number(no)',
        '      no !== epoch && instance !== ""',
      ],
    ],
  },
  {
    name: 'an end is forgotten',
    file: standIn,
    changes: [
      [
        'this.hset(`request:${id}`, { state, holder, epoch, no, gate, until: String(expiresAt) });',
        'void [state, epoch, no, over]; this.keys.delete(`request:${id}`);',
      ],
      [
        '    if (!this.isMine(found, instance, epoch, no) || !this.isOpen(found)) return 0;',
        "    if (found === undefined) { this.make([instance, 'gate', id, epoch, no, state, endsAt, lifetime, '', approvalId, record]); return 1; }\n    if (!this.isMine(found, instance, epoch, no) || !this.isOpen(found)) return 0;",
      ],
    ],
  },
];

const lib = path.join(__dirname, '../../nodes/lib');

/**
 * The core with a fault put back.
 *
 * @throws Error - where the module does not say any more what keeps the fault out
 */
export async function coreWith(fault: Fault): Promise<Core> {
  const folder = path.join(__dirname, '../../.cache/simulation', String(faults.indexOf(fault)));
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const copies = [
    ...fs.readdirSync(path.join(lib, 'approval')).map((name) => path.join(lib, 'approval', name)),
    path.join(__dirname, '../support', standIn),
  ];
  for (const file of copies) {
    const name = path.basename(file);
    const text = fs.readFileSync(file, 'utf8');
    // All but the copies themselves is the package's own: an error of the one is an error of the other.
    const changed = (name === fault.file ? withFault(fault, text) : text)
      .replaceAll("from '../../nodes/lib/", `from '${lib}/`)
      .replaceAll("from '../", `from '${lib}/`);
    fs.writeFileSync(path.join(folder, name), changed);
  }
  const [gate, process, redis] = await Promise.all([
    import(path.join(folder, 'gate.ts')) as Promise<Pick<Core, 'Gate'>>,
    import(path.join(folder, 'process.ts')) as Promise<Pick<Core, 'newProcess'>>,
    import(path.join(folder, standIn)) as Promise<{ RedisStandIn: Core['StandIn'] }>,
  ]);
  return { Gate: gate.Gate, newProcess: process.newProcess, StandIn: redis.RedisStandIn };
}

function withFault({ file, changes }: Fault, text: string): string {
  let changed = text;
  for (const [now, before] of changes) {
    if (changed.split(now).length !== 2) throw new Error(`${file} does not hold once: ${now}`);
    changed = changed.replace(now, () => before);
  }
  return changed;
}

/*
 * A process that keeps people in files, to be killed. What it begins, and what has resolved, it writes as a line at once.
 *
 *     people_process.ts ROOT    adds people, raises their last step, and removes some, for as long as it lives
 *     people_process.ts ROOT hold    adds one, says "ready" or "refused CODE", and stays
 */
import { filePeople } from '../../nodes/lib/people/file-people';
import { newFactor, newPerson } from './people';
import { say } from './said_lines';

const [, , root = '', mode] = process.argv;
const people = filePeople({ root, accountId: 'account' }, { tell: (sentence) => say('told', sentence) });
let number = 0;

async function live(): Promise<void> {
  for (;;) {
    number += 1;
    const phoneNumber = `+4917${String(number).padStart(8, '0')}`;
    const { authyId } = await people.add(newPerson({ phoneNumber, factors: [newFactor({ lastStep: 0 })] }));
    say('added', authyId, 0);
    for (let step = 1; step < 5; step++) {
      say('raising', authyId, step);
      const factors = [newFactor({ lastStep: step })];
      const raised = await people.change(authyId, (person) => ({ ...person, factors }));
      if (raised !== undefined) say('raised', authyId, step);
    }
    if (Math.random() < 0.5) continue;
    say('removing', authyId);
    await people.remove(authyId);
    say('removed', authyId);
  }
}

async function hold(): Promise<void> {
  try {
    await people.add(newPerson());
    say('ready', process.pid);
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    say('refused', code, message);
  }
}

// A library's timers must not keep a process alive; this one stays.
setInterval(() => undefined, 1000);
if (mode === 'hold') void hold();
else for (let worker = 0; worker < 8; worker++) void live();

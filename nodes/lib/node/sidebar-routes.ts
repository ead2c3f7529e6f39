import type { IncomingMessage } from 'node:http';
import type { NodeAPI } from 'node-red';
import type { Account } from '../account/account';
import type { Approver } from '../approver/approver';
import { longestName } from '../approver/enrolment';
import { AuthyError, invalidInput } from '../contract/errors';
import { operations } from '../contract/operations';
import type { Person } from '../contract/people';
import { readInputs } from '../contract/read-inputs';
import { authyId as readAuthyId, email as readEmail, text } from '../contract/validation';
import { created, knownPerson, unknownPerson, withLock } from '../people/known';
import { deploysOf } from './deploys';
import type { Instances } from './instances';
import { type Sent, serveJson } from './json-route';
import { runningInstance } from './people-routes';
import { foundPeople, shownAccount, type ShownPerson, shownPerson } from './sidebar-people';

/** What is asked about an account. */
interface Asked {
  readonly account: Account;
  readonly sent: Sent;
}

/** What is asked about a person. */
interface AskedAbout extends Asked {
  readonly authyId: string;
}

/** What a change answers, and what the audit log has of it beside the account. */
interface Changed {
  readonly answer?: object;
  readonly facts?: object;
}

/**
 * The routes of the sidebar: who is known to the running accounts that keep people, and what is done for them. All are `POST`
 * with JSON, answered once a deploy that is under way has ended; whatever cannot be done is answered with `{ok: false, message}`,
 * and with the `code` and the `field` of the error if it has them. No answer has a secret of a person, a hash, a session, or where
 * their phones are told. The two that make something new show it once: an invitation, and recovery codes.
 *
 * With the permission `authy-config.read`:
 * - `authy-people/accounts`: `{}` → `{ok, accounts}`, see `ShownAccount`
 * - `authy-people/list`: `{id, search, from}` → `{ok, rows, found, missing}`, see `Rows`
 * - `authy-people/person`: `{id, authyId}` → `{ok, person, now}`, see {@link ShownPerson}
 *
 * With `authy-config.write`, each in the audit log:
 * - `authy-people/add`: `{id, phoneNumber, email}` → `{ok, person, now, wasKnown}`. Who is known stays as they are
 * - `authy-people/invite`: `{id, authyId}` → `{ok, url, qrCode, expiresAt, now, phones}`, with the ids of the phones that are there
 * - `authy-people/withdraw`: `{id, authyId}` ends the invitation
 * - `authy-people/phone/rename`: `{id, authyId, phone, name}`; `authy-people/phone/remove`: `{id, authyId, phone}`
 * - `authy-people/lock`: `{id, authyId, isLocked}`
 * - `authy-people/pause/end`: `{id, authyId, pause}` ends the pause after "not me" with that id, if it is not over
 * - `authy-people/recovery`: `{id, authyId}` → `{ok, codes}`
 * - `authy-people/remove`: `{id, authyId}`
 */
export function serveSidebar(RED: NodeAPI, instances: Instances): void {
  // Its types know no event.
  const audit = RED.log.audit as (event: object, request: IncomingMessage) => void;

  const serve = (
    route: string,
    permission: 'read' | 'write',
    work: (sent: Sent, request: IncomingMessage) => object | Promise<object>,
  ): void => {
    serveJson(RED, `authy-people/${route}`, `authy-config.${permission}`, async (sent, request) => {
      // Until then, accounts that are started anew are missing, and with them their people.
      await deploysOf(RED).settled();
      try {
        return { ok: true, ...(await work(sent, request)) };
      } catch (error) {
        const { message, code, field } = error as Partial<AuthyError>;
        return { ok: false, message, code, field };
      }
    });
  };

  const asked = (sent: Sent): Asked & { id: string } => {
    const { id, account } = runningInstance(instances, sent['id']);
    return { id, account, sent };
  };

  const serveChange = (route: string, change: (asked: Asked) => Promise<Changed>): void => {
    serve(route, 'write', async (sent, request) => {
      const { id, ...rest } = asked(sent);
      const event = `authy-people.${route.replace('/', '.')}`;
      try {
        const { answer = {}, facts = {} } = await change(rest);
        audit({ event, id, ...facts }, request);
        return answer;
      } catch (error) {
        // As Node-RED does it, with the code of the error.
        audit({ event, id, error: (error as Partial<AuthyError>).code ?? 'unexpected_error' }, request);
        throw error;
      }
    });
  };

  /** A change of a person, who is in the audit log by their id. */
  const serveChangeOf = (route: string, change: (asked: AskedAbout) => Promise<Changed>): void => {
    serveChange(route, async ({ account, sent }) => {
      const authyId = readAuthyId(sent['authyId'], 'authyId');
      const { answer = {}, facts = {} } = await change({ account, sent, authyId });
      return { answer, facts: { authyId, ...facts } };
    });
  };

  serve('accounts', 'read', () => {
    const keeping = instances.all().filter(({ account }) => account.keepsPeople);
    return { accounts: keeping.map(shownAccount) };
  });
  serve('list', 'read', (sent) => {
    const { account } = asked(sent);
    const from = Number(sent['from'] ?? 0);
    const wanted = typeof sent['search'] === 'string' ? sent['search'] : '';
    return foundPeople(
      account.people(),
      wanted.slice(0, 254),
      from > 0 && Number.isSafeInteger(from) ? from : 0,
    );
  });
  serve('person', 'read', async (sent) => {
    const { account } = asked(sent);
    return personIn(account, await knownPerson(account.people(), readAuthyId(sent['authyId'], 'authyId')));
  });

  serveChange('add', async ({ account, sent }) => {
    const people = account.people();
    const { authyId, wasKnown } = await added(account, sent);
    return {
      answer: { ...personIn(account, await knownPerson(people, authyId)), wasKnown },
      facts: { authyId, wasKnown },
    };
  });
  serveChangeOf('invite', async ({ account, authyId }) => {
    const approver = approverOf(account);
    const { phones = [] } = await knownPerson(account.people(), authyId);
    const invitation = await approver.enrolment.invite(authyId);
    return { answer: { ...invitation, now: Date.now(), phones: phones.map(({ id }) => id) } };
  });
  serveChangeOf('withdraw', async ({ account, authyId }) => {
    await approverOf(account).enrolment.withdraw(authyId);
    return {};
  });
  serveChangeOf('phone/rename', async ({ account, authyId, sent }) => {
    const phone = String(sent['phone']);
    const name = text(longestName)(sent['name'], 'name').trim();
    await approverOf(account).phones.rename(authyId, phone, name);
    return { facts: { phone } };
  });
  serveChangeOf('phone/remove', async ({ account, authyId, sent }) => {
    const phone = String(sent['phone']);
    await approverOf(account).phones.remove(authyId, phone);
    return { facts: { phone } };
  });
  serveChangeOf('lock', async ({ account, authyId, sent }) => {
    const { isLocked } = sent;
    // What is not said must unlock nobody.
    if (typeof isLocked !== 'boolean') throw invalidInput('isLocked', 'is neither true nor false.');
    if (account.approver === undefined) await withLock(account.people(), authyId, isLocked);
    else await account.approver.phones.lock(authyId, isLocked);
    return { facts: { isLocked } };
  });
  serveChangeOf('pause/end', async ({ account, authyId, sent }) => {
    await approverOf(account).phones.endPause(authyId, sent['pause']);
    return {};
  });
  serveChangeOf('recovery', async ({ account, authyId }) => ({
    answer: { codes: await approverOf(account).phones.renewRecovery(authyId) },
  }));
  serveChangeOf('remove', async ({ account, authyId }) => {
    if (account.approver !== undefined) await account.approver.phones.removePerson(authyId);
    else if (!(await account.people().remove(authyId))) throw unknownPerson();
    return {};
  });
}

function personIn(account: Account, person: Person): { person: ShownPerson; now: number } {
  return { person: shownPerson(account, person), now: Date.now() };
}

/** The same phone number is the same person. */
async function added(account: Account, sent: Sent): Promise<{ authyId: string; wasKnown: boolean }> {
  const people = account.people();
  const { phoneNumber } = operations.userCreate.inputs;
  // People try simulators with made-up numbers.
  const rule = account.isSimulated ? 'possible' : 'valid';
  const values = readInputs({ inputs: { phoneNumber } }, { phoneNumber: trimmed(sent['phoneNumber']) }, rule);
  const address = trimmed(sent['email'] ?? '');
  const email = address === '' ? '' : readEmail(address, 'email');
  const known = await people.findByPhone(values.phoneNumber);
  const { authyId } = known ?? (await created(people, { ...values, email, sendInstallLink: false }));
  return { authyId, wasKnown: known !== undefined };
}

function trimmed(value: unknown): unknown {
  return typeof value === 'string' ? value.trim() : value;
}

/** @throws AuthyError - `AUTHY_NOT_SUPPORTED` if its people do not answer here */
function approverOf({ approver }: Account): Approver {
  if (approver !== undefined) return approver;
  throw new AuthyError(
    'AUTHY_NOT_SUPPORTED',
    'Choose another account, or correct this one: its people do not answer on a page of this Node-RED.',
  );
}

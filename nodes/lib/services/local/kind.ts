import { accountName } from '../../contract/account-name';
import { AuthyError } from '../../contract/errors';
import type { Environment, Service, ServiceKind } from '../../contract/service';
import { approverProperties } from '../../people/approver-settings';
import { abilities } from './abilities';
import { type LocalSettings, nameProblem, readSettings, withName } from './settings';

/** This Node-RED itself: it makes the codes, checks them, and hands them to the flow to be sent. */
const local: ServiceKind<LocalSettings> = {
  id: 'local',
  abilities,
  answersByHttp: {
    unsupported:
      'Leave this node out: people answer on this Node-RED’s own page, and the flow hears of it by itself.',
  },
  keepsPeople: true,
  settings: ['localName', ...approverProperties],
  credentials: [],
  read: readSettings,

  typed(settings, form) {
    const { localName } = form;
    if (localName === undefined) return undefined;
    const name = typeof localName === 'string' ? localName.trim() : '';
    const problem = nameProblem(name);
    if (problem !== undefined) throw new Error(problem);
    const typed = withName(name === '' ? accountName(form) : name);
    return settings?.displayName === typed.displayName ? undefined : typed;
  },

  async open(settings, environment): Promise<Service> {
    if (settings.problem !== undefined) throw new AuthyError('AUTHY_BAD_CONFIG', settings.problem);
    return openService(settings, environment);
  },

  async closed(_settings, { accountId }, removed) {
    if (!removed) return;
    const { forgetPhoneChecks } = await import('./phone-checks.js');
    forgetPhoneChecks(accountId);
  },
};

export default local;

/** Loaded with the first call: an editor that is only opened needs none of it. */
async function openService({ displayName }: LocalSettings, environment: Environment): Promise<Service> {
  const [{ LocalService }, { Noted }, { phoneChecksOf }] = await Promise.all([
    import('./service.js'),
    import('../../people/noted.js'),
    import('./phone-checks.js'),
  ]);
  return new LocalService({
    displayName,
    // Both are opened with the first call that needs them.
    get people() {
      return environment.people();
    },
    get approvals() {
      return environment.approvals();
    },
    recipientOf: (approvalId) => environment.recipientOf(approvalId),
    notifier: (signal) => environment.notifier(signal),
    language: environment.language,
    log: environment.log,
    noted: Noted.ofProcess(),
    phoneChecks: phoneChecksOf(environment.accountId),
    now: () => Date.now(),
    steady: () => performance.now(),
  });
}

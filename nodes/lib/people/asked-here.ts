import type { Approvals } from '../contract/approver';
import type { ValuesOf } from '../contract/operations';
import type { CallOptions, Performed } from '../contract/service';

/** What services do with approvals that are asked on this Node-RED's own page. */

/** @throws AuthyError - as {@link Approvals.ask} */
export async function askedHere(
  approvals: Approvals,
  values: ValuesOf<'onetouchSend'>,
  { asker = '', signal }: CallOptions,
): Promise<Performed<'onetouchSend'>> {
  const { id } = await approvals.ask(values, { asker, signal });
  return { outcome: 'sent', result: { approvalId: id, authyId: values.authyId, status: 'pending' } };
}

/** @throws AuthyError - as {@link Approvals.find} */
export async function statusHere(
  approvals: Approvals,
  authyId: string,
  approvalId: string,
): Promise<Performed<'onetouchStatus'>> {
  const { request, hasExpired, body, device } = await approvals.find(authyId, approvalId);
  const { answer, createdAt, expiresAt } = request;
  const status = answer?.decision ?? (hasExpired ? 'expired' : 'pending');
  return {
    outcome: status,
    result: {
      approvalId,
      authyId,
      status,
      notified: null,
      createdAt: new Date(createdAt).toISOString(),
      processedAt: answer === undefined ? null : new Date(answer.at).toISOString(),
      secondsToExpire: expiresAt === null ? null : (expiresAt - createdAt) / 1000,
    },
    answer: { body, device },
  };
}

/** @throws AuthyError - as {@link Approvals.invite} */
export async function invitedHere(
  approvals: Approvals,
  { authyId }: ValuesOf<'userInvite'>,
): Promise<Performed<'userInvite'>> {
  const { url, qrCode, expiresAt } = await approvals.invite(authyId);
  return {
    outcome: 'invited',
    result: { authyId, url, qrCode, expiresAt: new Date(expiresAt).toISOString() },
  };
}

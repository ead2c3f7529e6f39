import { askedHere, invitedHere, statusHere } from '../../people/asked-here';
import { whoWasAsked } from '../../people/known';
import type { Handler } from './context';
import { pushStatus, sendPush } from './push';

/** Approvals are asked in an app of the customer's own, by Twilio, or on this Node-RED's own page: Verify itself has none. */

export const userInvite: Handler<'userInvite'> = async ({ approvals }, values) =>
  invitedHere(approvals(), values);

export const onetouchSend: Handler<'onetouchSend'> = (context, values, call) =>
  context.hasOwnApp ? sendPush(context, values, call) : askedHere(context.approvals(), values, call());

export const onetouchStatus: Handler<'onetouchStatus'> = async (context, values, call) => {
  if (context.hasOwnApp) return pushStatus(context, values, call);
  const { approvalId } = values;
  return statusHere(context.approvals(), await whoWasAsked(context, approvalId, call()), approvalId);
};

import { askedHere, invitedHere, statusHere } from '../../people/asked-here';
import { whoWasAsked } from '../../people/known';
import type { Handler } from './context';

export const userInvite: Handler<'userInvite'> = ({ approvals }, values) => invitedHere(approvals, values);

export const onetouchSend: Handler<'onetouchSend'> = ({ approvals }, values, options) =>
  askedHere(approvals, values, options);

export const onetouchStatus: Handler<'onetouchStatus'> = async (context, { approvalId }, options) =>
  statusHere(context.approvals, await whoWasAsked(context, approvalId, options), approvalId);

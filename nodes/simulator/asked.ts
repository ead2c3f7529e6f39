import { callbackOf } from './authy/callback';
import type { Backend } from './backend';
import { reportAnswer } from './delivery';
import type { Approval } from './state/approvals';
import type { Challenge } from './state/challenges';
import type { Answer } from './state/questions';
import { reportChallenge } from './verify/events';
import { uuidOf } from './verify/sids';
import { approvalView, type ApprovalView, challengeView } from './views';

/** A question on a simulated phone, whoever asked it. */
export interface Asked {
  readonly view: () => ApprovalView;
  /** Answers it, if it is pending; done when its callback was delivered, failed or is late. */
  readonly answer: (answer: Answer) => Promise<void>;
}

/** Every question on the phones, oldest first. */
export function allAsked(backend: Backend): Asked[] {
  const { approvals, challenges } = backend.state;
  const asked = [
    ...approvals.all.map((approval) => ({ at: approval.createdAt, ...ofApproval(backend, approval) })),
    ...challenges.all
      .filter(({ factor }) => factor.type === 'push')
      .map((challenge) => ({ at: challenge.createdAt, ...ofChallenge(backend, challenge) })),
  ];
  // Those of the same moment keep their order.
  return asked.sort((one, other) => one.at - other.at);
}

/**
 * One of them.
 *
 * @param id - its uuid, or the SID of a challenge
 */
export function findAsked(backend: Backend, id: string): Asked | undefined {
  const { approvals, challenges } = backend.state;
  const uuid = uuidOf('YC', id) ?? id;
  const approval = approvals.get(uuid);
  if (approval !== undefined) return ofApproval(backend, approval);
  const challenge = challenges.get(uuid);
  return challenge?.factor.type === 'push' ? ofChallenge(backend, challenge) : undefined;
}

function ofApproval(backend: Backend, approval: Approval): Asked {
  const { approvals, now } = backend.state;
  const { uuid } = approval;
  return {
    view: () => approvalView(backend, approval),
    answer: async (answer) => {
      approvals.answer(approval, answer);
      const callback = callbackOf(backend.settings, approval, now);
      await reportAnswer(backend, approval, callback, uuid, () => approvals.get(uuid) === approval);
    },
  };
}

function ofChallenge(backend: Backend, challenge: Challenge): Asked {
  return {
    view: () => challengeView(backend, challenge),
    answer: async (answer) => {
      backend.state.challenges.answer(challenge, answer);
      await reportChallenge(backend, challenge);
    },
  };
}

import should from 'should';
import { historyOf, withRequest } from '../../../nodes/lib/approver/requests';
import type { ApprovalRequest, Person } from '../../../nodes/lib/contract/people';
import { Noted } from '../../../nodes/lib/people/noted';
import { mostRequests } from '../../../nodes/lib/people/person';

const hour = 3_600_000;
const now = Date.UTC(2026, 10, 30);
const clocks = { now: () => now, steady: () => 0, noted: Noted.ofProcess() };

function request(
  id: string,
  createdAt: number,
  answeredAt?: number,
  expiresAt: number | null = null,
): ApprovalRequest {
  return {
    ...{ id, asker: 'Front door', message: 'Open it?', details: [], hidden: '', atLeast: 'code', nonce: id },
    ...{ createdAt, expiresAt },
    ...(answeredAt !== undefined && {
      answer: {
        ...{ decision: 'denied', notMe: false, at: answeredAt },
        phone: { id: 'phone', name: 'Pixel', grade: 'code' },
      },
    }),
  };
}

const personWith = (requests: ApprovalRequest[]): Person => ({ authyId: '1', requests }) as unknown as Person;
const idsOf = (requests: readonly ApprovalRequest[] = []): string[] => requests.map(({ id }) => id);

describe('The requests to a person', () => {
  it('are shown by when they ended, whenever they were asked', () => {
    const person = personWith([
      request('first', now - 3 * hour, now - hour),
      request('open', now - 3 * hour),
      request('second', now - 2 * hour, now - 2 * hour),
      request('expired', now - 4 * hour, undefined, now - 1.5 * hour),
    ]);
    should(idsOf(historyOf(person, clocks))).eql(['first', 'expired', 'second']);
  });

  it('are forgotten by when they were asked, also after a clock that was ahead: never what was answered just now', () => {
    const ofTomorrow = Array.from({ length: mostRequests - 1 }, (_, index) =>
      request(`old ${index}`, now + 24 * hour, now + 24 * hour),
    );
    const person = personWith([...ofTomorrow, request('answered now', now, now)]);
    const kept = idsOf(withRequest(person, request('asked now', now), clocks).requests);
    should(kept).have.length(mostRequests);
    should(kept).containDeep(['answered now', 'asked now']).and.not.containEql('old 0');
  });
});

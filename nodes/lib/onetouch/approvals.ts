/** How many approval requests are remembered per account; the oldest go first. */
const remembered = 10_000;

export type Decision = 'approved' | 'denied';

interface Approval {
  /** Whom this Node-RED asked; absent where it did not. */
  askedOf?: string;
  decision?: Decision;
}

/**
 * What one account knows of its approval requests: which ones this Node-RED sent, and which answers it has had.
 * Kept in memory: after a restart nothing is known of what was before.
 */
export class Approvals {
  private readonly approvals = new Map<string, Approval>();

  /** Notes that a request was sent to a user. */
  asked(approvalId: string, authyId: string): void {
    this.entry(approvalId).askedOf = authyId;
  }

  /** Whether this Node-RED sent the request, to this user. */
  wasAsked(approvalId: string, authyId: string): boolean {
    return this.approvals.get(key(approvalId))?.askedOf === authyId;
  }

  /**
   * Notes an answer.
   *
   * @returns `first`; `duplicate` where the same answer came before; `conflict` where another one did
   */
  decided(approvalId: string, decision: Decision): 'first' | 'duplicate' | 'conflict' {
    const approval = this.entry(approvalId);
    if (approval.decision === undefined) {
      approval.decision = decision;
      return 'first';
    }
    return approval.decision === decision ? 'duplicate' : 'conflict';
  }

  private entry(approvalId: string): Approval {
    const found = this.approvals.get(key(approvalId));
    if (found !== undefined) return found;
    const approval: Approval = {};
    this.approvals.set(key(approvalId), approval);
    if (this.approvals.size > remembered) {
      const [oldest] = this.approvals.keys();
      if (oldest !== undefined) this.approvals.delete(oldest);
    }
    return approval;
  }
}

function key(approvalId: string): string {
  return approvalId.toLowerCase();
}

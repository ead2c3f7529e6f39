/** What the calls of an account are limited to, unless its settings say otherwise. */
export const callLimits = {
  /** For a whole call, waiting and repeating included, in seconds. */
  deadline: 15,
  /** Calls under way at once. */
  maxInFlight: 10,
  /** Messages that wait for their turn when there are many. */
  maxQueued: 1000,
  /** How long one waits for its turn at most, in seconds. */
  longestWait: 600,
} as const;

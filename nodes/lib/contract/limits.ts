/** What the calls of an account are limited to, unless its settings say otherwise. */
export const callLimits = {
  /** For a whole call, waiting and repeating included, in seconds. */
  deadline: 15,
  /** Calls under way at once. */
  maxInFlight: 10,
} as const;

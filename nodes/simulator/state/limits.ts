/** How much the simulator remembers of each kind; beyond that the oldest is forgotten. */
export const capacities = {
  users: 1000,
  approvals: 10_000,
  entities: 1000,
  webhooks: 100,
  accessTokens: 1000,
  verifications: 1000,
  messages: 1000,
  attempts: 10_000,
  requests: 10_000,
  activitiesPerUser: 100,
  months: 24,
} as const;

/** How much the simulator remembers of each kind; beyond that the oldest is forgotten. */
export const capacities = {
  users: 1000,
  approvals: 1000,
  verifications: 1000,
  messages: 1000,
  requests: 1000,
  qrCodes: 1000,
  activitiesPerUser: 100,
  months: 24,
} as const;

/** The limits of the configuration that a person can run into on a block page; each time is counted by its name. */
export const PORTAL_LIMITS = [
  'followers',
  'followersPerPc',
  'formBytes',
  'pendingPerPc',
  'pendingPerSite',
  'unblockPerMinute',
  'warningsPerPc',
] as const
export type PortalLimit = (typeof PORTAL_LIMITS)[number]

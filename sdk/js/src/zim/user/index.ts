import type { Capability } from '../row.js';

/** Profiles and presence. */
export const user: Capability = {
  accepted: {
    updateUserOfflinePushRule: async (offlinePushRule) => ({ offlinePushRule }),
    updateUserBadge: async () => undefined,
  },
};

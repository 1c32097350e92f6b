import type { Capability } from '../row.js';
import { sessionEvents } from './events.js';
import { renewToken } from './renewToken.js';

/** Logging in and staying so. */
export const session: Capability = {
  methods: { renewToken },
  accepted: {
    uploadLog: async () => undefined,
    callExperimentalAPI: async () => '',
  },
  events: sessionEvents,
};

import { conversation } from './conversation/index.js';
import { message } from './message/index.js';
import type { Capability } from './row.js';
import { session } from './session/index.js';
import { user } from './user/index.js';

/** What is built of the surface. */
export const capabilities: readonly Capability[] = [session, user, conversation, message];

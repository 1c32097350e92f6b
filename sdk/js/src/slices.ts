import type { Slice, SlicePort } from './slice.js';
import { users } from './users.js';

/** The slices of a login. */
export const slices: readonly ((port: SlicePort) => Slice)[] = [users];

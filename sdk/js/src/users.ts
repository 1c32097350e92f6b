import type { Slice, SlicePort } from './slice.js';

/** Profiles: the own one may be changed by another device. */
export const users = ({ emit }: SlicePort): Slice => ({
  pushed: {
    userChanged: ({ user }) => user && emit('userChanged', user),
  },
});

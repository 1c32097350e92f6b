export type * from './common.js';
export type * from './conversation.js';
export type * from './events.js';
export type * from './lite.js';
export type * from './message.js';
export type * from './send.js';

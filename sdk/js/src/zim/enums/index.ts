export * from './connection.js';
export * from './conversation.js';
export * from './message.js';
export * from './room.js';
export * from './group.js';
export * from './call.js';
export * from './user.js';

/**
 * The drop-in entry: the names that zego-zim-web 2.29.0 exports, and ZIM as
 * the default export.
 */
export { ParleyErrorCode } from '../errors.js';
export type { WebSocketConstructor, WebSocketLike } from '../socket.js';
export * from './enums/index.js';
export { ZIMErrorCode } from './error-code.js';
export type * from './types/index.js';
export { ZIM, ZIM as default } from './zim.js';
export type { ZIMEventHandler } from './zim.js';

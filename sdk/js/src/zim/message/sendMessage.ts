import type { ChatClient } from '../../client.js';
import { peerRef } from '../check.js';
import { ZIMConversationType } from '../enums/index.js';
import type { Method } from '../row.js';
import { Sender } from './sender.js';

const senders = new WeakMap<ChatClient, Sender>();

function senderOf(client: ChatClient): Sender {
  const sender = senders.get(client) ?? new Sender(client);
  senders.set(client, sender);
  return sender;
}

/** Sends a message. */
export const sendMessage: Method<'sendMessage'> = (client, message, id, type, config, notification) =>
  senderOf(client).send(message, peerRef(id, type), config, notification);

/** The older name of sending to a user. */
export const sendPeerMessage: Method<'sendPeerMessage'> = (client, message, id, ...how) =>
  sendMessage(client, message, id, ZIMConversationType.Peer, ...how);

/** The older name of sending to a group. */
export const sendGroupMessage: Method<'sendGroupMessage'> = (client, message, id, ...how) =>
  sendMessage(client, message, id, ZIMConversationType.Group, ...how);

/** The older name of sending to a room. */
export const sendRoomMessage: Method<'sendRoomMessage'> = (client, message, id, ...how) =>
  sendMessage(client, message, id, ZIMConversationType.Room, ...how);

/** The older name of sending a file; its last argument may be the progress function alone. */
export const sendMediaMessage: Method<'sendMediaMessage'> = (client, message, id, type, config, notification) =>
  sendMessage(client, message, id, type, config, typeof notification === 'function' ? { onMediaUploadingProgress: notification } : notification);

import { ZIM } from '../../src/zim/zim.js';
import type { ZIMEventHandler } from '../../src/zim/zim.js';
import type { ZIMAppConfig, ZIMMessageSendConfig, ZIMTextMessage, ZIMUserInfo } from '../../src/zim/types/index.js';
import { ZIMMessageType } from '../../src/zim/enums/index.js';
import { pass } from './app.js';
import type { FakeServer } from './server.js';

/** A string with the form of a JWT; the fake server looks at none. */
export const TOKEN: string = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl';

/** The plain way to send. */
export const CONFIG: ZIMMessageSendConfig = { priority: 1 };

/** A user with all fields that the type asks for. */
export function user(userID: string): ZIMUserInfo {
  return { userID, userName: '', userAvatarUrl: '', userExtendedData: '' };
}

/** A text message to send. */
export function text(message: string): ZIMTextMessage {
  return { type: ZIMMessageType.Text, message };
}

/** The events that an instance told, in order, by name. */
export interface Told {
  readonly name: keyof ZIMEventHandler;
  readonly data: unknown;
}

const EVENTS: (keyof ZIMEventHandler)[] = [
  'error',
  'tokenWillExpire',
  'connectionStateChanged',
  'receivePeerMessage',
  'receiveRoomMessage',
  'receiveGroupMessage',
  'conversationChanged',
  'conversationTotalUnreadMessageCountUpdated',
];

/** A fresh instance joined to a fake server, and what it tells. */
export function createZIM(server: FakeServer, options: Partial<ZIMAppConfig> = {}): { zim: ZIM; told: Told[] } {
  ZIM.getInstance()?.destroy();
  const zim = ZIM.create({ appID: 1, server: 'http://fake', WebSocket: server.WebSocket, ...options });
  if (!zim) throw new Error('the instance before was not destroyed');
  const told: Told[] = [];
  for (const name of EVENTS) zim.on(name, (_zim: ZIM, data: unknown) => void told.push({ name, data }));
  return { zim, told };
}

/** Logs in and waits until the first list has come. */
export async function login(zim: ZIM, userID: string): Promise<void> {
  const done = zim.login(user(userID), TOKEN);
  await pass(20);
  await done;
}

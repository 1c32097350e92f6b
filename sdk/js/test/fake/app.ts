import { vi } from 'vitest';
import type { ChatClientOptions } from '../../src/client.js';
import { ChatClient } from '../../src/client.js';
import type { StateChange } from '../../src/connection.js';
import type { ConversationChange } from '../../src/conversations.js';
import type { ConversationRef, Message } from '../../src/domain.js';
import type { FakeServer } from './server.js';

/** The conversation with a user. */
export function peer(id: string): ConversationRef {
  return { kind: 'peer', id };
}

/** The text of a message. */
export function textOf(message: Message): string {
  return new TextDecoder().decode(message.body);
}

/** Lets the given time pass, with everything that happens in it. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

/** A core client that writes down what it tells. */
export class App {
  readonly client: ChatClient;
  readonly received: Message[] = [];
  readonly states: StateChange[] = [];
  readonly changes: ConversationChange[] = [];
  readonly totals: number[] = [];

  constructor(server: FakeServer, options: Partial<ChatClientOptions> = {}) {
    this.client = new ChatClient({ server: 'http://fake', WebSocket: server.WebSocket, random: () => 0.5, ...options });
    this.client.on('messages', (_ref, messages) => this.received.push(...messages));
    this.client.on('state', (change) => this.states.push(change));
    this.client.on('conversations', (changes) => this.changes.push(...changes));
    this.client.on('totalUnread', (total) => this.totals.push(total));
  }

  /** Logs in and waits until the first list has come. */
  async login(userID: string): Promise<void> {
    const done = this.client.login({ appID: 1, userID, token: `token of ${userID}` });
    await pass(20);
    await done;
  }

  /** Sends a text; the promise is the client's. */
  send(to: string, text: string): Promise<Message> {
    return this.client.send({ conversation: peer(to), type: 1, body: new TextEncoder().encode(text) });
  }

  /** The texts received so far. */
  get texts(): string[] {
    return this.received.map(textOf);
  }

  /** The states so far. */
  get path(): string[] {
    return this.states.map((change) => change.state);
  }
}

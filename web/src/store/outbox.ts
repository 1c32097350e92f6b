import { ZIMConversationType, ZIMMessagePriority, ZIMMessageType } from 'parley-chat/zim';
import type { ZIMMessage } from 'parley-chat/zim';
import type { Chat } from './environment';
import type { Entry } from './entry';
import { codeOf, isUnreached } from './failure';
import type { Timeline } from './timeline';

interface Letter {
  readonly timeline: Timeline;
  /** The SDK knows the message by this object and updates it in place; a retry must hand it in again. */
  readonly message: ZIMMessage;
  entry: Entry;
  /** True while the SDK has it. */
  underWay: boolean;
  attempts: number;
}

/** What the outbox asks of the store at the moment of sending. */
export interface Sender {
  chat(): Chat | undefined;
  connected(): boolean;
  self(): string;
  now(): number;
}

/**
 * The own messages that are not acknowledged. Each is shown at once as an echo.
 * The SDK resends within its patience; what it hands back because the server
 * could not be reached waits here for the next connection, everything else
 * has failed and waits for the user.
 */
export class Outbox {
  private readonly letters = new Map<string, Letter>();
  private count = 0;

  constructor(private readonly sender: Sender) {}

  send(timeline: Timeline, text: string): void {
    const message: ZIMMessage & { message: string } = { type: ZIMMessageType.Text, message: text };
    const key = `own:${++this.count}`;
    const entry: Entry = {
      key,
      seq: 0,
      time: this.sender.now(),
      sender: this.sender.self(),
      own: true,
      kind: 'text',
      text,
      state: 'sending',
    };
    const letter: Letter = { timeline, message, entry, underWay: false, attempts: 0 };
    this.letters.set(key, letter);
    void this.post(letter);
  }

  /** Sends a failed message again; the server sees the same client message id. */
  retry(key: string): void {
    const letter = this.letters.get(key);
    if (letter?.entry.state === 'failed') void this.post(letter);
  }

  /** Gives a failed message up. */
  discard(key: string): void {
    const letter = this.letters.get(key);
    if (letter?.entry.state !== 'failed') return;
    this.letters.delete(key);
    letter.timeline.drop(key);
  }

  /** The connection came or went: waiting messages say so, and go out when it is back. */
  connectionChanged(): void {
    const connected = this.sender.connected();
    for (const letter of this.letters.values()) {
      if (letter.entry.state === 'failed') continue;
      if (connected && !letter.underWay) void this.post(letter);
      else this.show(letter, { state: connected ? 'sending' : 'queued' });
    }
  }

  /** Forgets everything: somebody else signs in. */
  reset(): void {
    this.letters.clear();
  }

  private async post(letter: Letter): Promise<void> {
    const chat = this.sender.chat();
    this.show(letter, { state: this.sender.connected() ? 'sending' : 'queued' });
    if (!chat) return;
    letter.underWay = true;
    try {
      const config = { priority: ZIMMessagePriority.Medium, ...(letter.attempts++ > 0 ? { isRetrySend: true } : {}) };
      const sending = chat.sendMessage(letter.message, letter.timeline.id, ZIMConversationType.Peer, config);
      this.show(letter, letter.message.localMessageID ? { localID: letter.message.localMessageID } : {});
      const sent = await sending;
      if (this.letters.delete(letter.entry.key)) letter.timeline.acknowledge(letter.entry.key, sent.message);
    } catch (error) {
      if (this.letters.has(letter.entry.key)) this.refused(letter, codeOf(error));
    } finally {
      letter.underWay = false;
    }
  }

  private refused(letter: Letter, code: number): void {
    const waits = isUnreached(code) && !this.sender.connected();
    this.show(letter, waits ? { state: 'queued' } : { state: 'failed', failure: code });
  }

  private show(letter: Letter, change: Partial<Pick<Entry, 'state' | 'failure' | 'localID'>>): void {
    letter.entry = { ...letter.entry, ...change };
    letter.timeline.echo(letter.entry);
  }
}

import { signal } from '@preact/signals';
import { ZIMConversationType, ZIMMessagePriority, ZIMMessageType } from 'parley-chat';
import type { ZIMMessage } from 'parley-chat';
import type { SafeStorage } from '../storage';
import type { Chat } from './environment';
import { codeOf, isWorthQueueing } from './failure';
import type { MessageView } from './message-view';
import type { Timeline } from './timeline';

type TextMessage = ZIMMessage & { message: string };

interface PendingMessage {
  readonly timeline: Timeline;
  /** The SDK knows the message by the id it puts in here; every attempt must hand in the same object, or its copy from before a reload. */
  readonly message: TextMessage;
  view: MessageView;
  /** True while the SDK has it. */
  underWay: boolean;
}

/** A pending message as the tab keeps it. */
interface Kept {
  readonly conversation: string;
  readonly message: TextMessage;
  /** The code of the failure, when it waits for the user. */
  readonly failure?: number;
}

/** What the pending messages ask of the store. */
export interface Sender {
  chat(): Chat | undefined;
  connected(): boolean;
  self(): string;
  now(): number;
  timeline(conversation: string): Timeline;
}

/**
 * The own messages that are not acknowledged. Each is shown at once as an
 * echo, and kept in the tab until the server has it: a reload does not lose it,
 * and the id that the SDK gave it makes the server store it once.
 *
 * The SDK resends within its patience; what it hands back because the server
 * could not be reached waits here for the next connection, everything else
 * has failed and waits for the user.
 */
export class PendingMessages {
  /** The keys of those that a reload would lose, because storage is blocked or full. */
  readonly unsaved = signal<ReadonlySet<string>>(new Set());
  private readonly byKey = new Map<string, PendingMessage>();
  private prefix = '';
  private count = 0;

  constructor(
    private readonly sender: Sender,
    private readonly tab: SafeStorage,
  ) {}

  /** Takes up what a reload has left of the user who has signed in. */
  open(user: string): void {
    this.byKey.clear();
    this.unsaved.value = new Set();
    this.prefix = `parley.pending.${user}/`;
    const number = (key: string): number => Number(key.slice(this.prefix.length));
    for (const key of this.tab.keys(this.prefix).sort((a, b) => number(a) - number(b))) {
      this.count = Math.max(this.count, number(key) || 0);
      const kept = parse(this.tab.get(key));
      if (kept) this.show(this.add(key, kept), {});
      else this.tab.remove(key);
    }
  }

  send(conversation: string, text: string): void {
    const key = `${this.prefix}${++this.count}`;
    void this.handOver(this.add(key, { conversation, message: { type: ZIMMessageType.Text, message: text } }));
  }

  /** Sends a failed message again; the server sees the same client message id. */
  retry(key: string): void {
    const pending = this.byKey.get(key);
    if (pending?.view.state === 'failed') void this.handOver(pending);
  }

  /** Gives a failed message up, and returns what it said. */
  discard(key: string): { conversation: string; text: string } | undefined {
    const pending = this.byKey.get(key);
    if (pending?.view.state !== 'failed') return undefined;
    this.settle(key);
    pending.timeline.drop(key);
    return { conversation: pending.timeline.id, text: pending.message.message };
  }

  /** The server has the message, however that became known. */
  settle(key: string): boolean {
    this.tab.remove(key);
    this.markSaved(key, true);
    return this.byKey.delete(key);
  }

  /** The connection came or went: waiting messages say so, and go out when it is back. */
  connectionChanged(): void {
    const connected = this.sender.connected();
    for (const pending of this.byKey.values()) {
      if (pending.view.state === 'failed') continue;
      if (connected && !pending.underWay) void this.handOver(pending);
      else this.show(pending, { state: connected ? 'sending' : 'queued' });
    }
  }

  private add(key: string, { conversation, message, failure }: Kept): PendingMessage {
    const view: MessageView = {
      key,
      seq: 0,
      time: message.timestamp ?? this.sender.now(),
      sender: this.sender.self(),
      own: true,
      kind: 'text',
      text: message.message,
      ...(message.localMessageID ? { localID: message.localMessageID } : {}),
      ...(failure === undefined ? { state: 'queued' } : { state: 'failed', failure }),
    };
    const pending = { timeline: this.sender.timeline(conversation), message, view, underWay: false };
    this.byKey.set(key, pending);
    return pending;
  }

  private async handOver(pending: PendingMessage): Promise<void> {
    const { key } = pending.view;
    const { message, timeline } = pending;
    const chat = this.sender.chat();
    this.show(pending, { state: this.sender.connected() ? 'sending' : 'queued' });
    if (!chat) return this.keep(pending);
    pending.underWay = true;
    try {
      const config = { priority: ZIMMessagePriority.Medium, ...(message.localMessageID ? { isRetrySend: true } : {}) };
      const sending = chat.sendMessage(message, timeline.id, ZIMConversationType.Peer, config);
      // By now the SDK has given the message its id, and a time by the server's clock.
      this.show(pending, { ...(message.localMessageID ? { localID: message.localMessageID } : {}), time: message.timestamp ?? pending.view.time });
      this.keep(pending);
      const sent = await sending;
      if (this.byKey.get(key) === pending && this.settle(key)) timeline.acknowledge(key, sent.message);
    } catch (error) {
      if (this.byKey.get(key) === pending) this.refused(pending, codeOf(error));
    } finally {
      pending.underWay = false;
    }
  }

  private refused(pending: PendingMessage, code: number): void {
    const waits = isWorthQueueing(code) && !this.sender.connected();
    this.show(pending, waits ? { state: 'queued' } : { state: 'failed', failure: code });
    this.keep(pending);
  }

  private show(pending: PendingMessage, change: Partial<Pick<MessageView, 'state' | 'failure' | 'localID' | 'time'>>): void {
    pending.view = { ...pending.view, ...change };
    pending.timeline.echo(pending.view);
  }

  private keep({ view, message, timeline }: PendingMessage): void {
    const kept: Kept = {
      conversation: timeline.id,
      message,
      ...(view.state === 'failed' ? { failure: view.failure ?? 0 } : {}),
    };
    this.markSaved(view.key, this.tab.set(view.key, JSON.stringify(kept)));
  }

  private markSaved(key: string, saved: boolean): void {
    if (saved !== this.unsaved.peek().has(key)) return;
    const unsaved = new Set(this.unsaved.peek());
    if (saved) unsaved.delete(key);
    else unsaved.add(key);
    this.unsaved.value = unsaved;
  }
}

function parse(text: string | undefined): Kept | undefined {
  try {
    const { conversation, message, failure } = JSON.parse(text ?? 'null') as Partial<Kept>;
    if (typeof conversation !== 'string' || typeof message?.message !== 'string') return undefined;
    return { conversation, message, ...(typeof failure === 'number' ? { failure } : {}) };
  } catch {
    return undefined;
  }
}

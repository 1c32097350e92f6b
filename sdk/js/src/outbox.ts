import { Backoff } from './backoff.js';
import type { ConversationRef, Message, Sent } from './domain.js';
import { MessageType, refKey, sameContent } from './domain.js';
import { asChatError, ChatError, Code, ParleyErrorCode } from './errors.js';
import type { SendRequest } from './frames.js';
import { Timer } from './timer.js';

/** What the outbox needs and tells. */
export interface OutboxPort {
  /** Sends on the present link; rejects when the link ends first. */
  transmit(request: SendRequest): Promise<Sent>;
  readonly random: () => number;
}

interface Entry {
  readonly request: SendRequest;
  readonly sent: Promise<Sent>;
  readonly resolve: (sent: Sent) => void;
  readonly reject: (error: ChatError) => void;
  state: 'queued' | 'inFlight' | 'waiting';
  /** Attempts so far. */
  tries: number;
  readonly deadline: Timer;
}

interface Lane {
  readonly key: string;
  readonly entries: Entry[];
  readonly backoff: Backoff;
  readonly retry: Timer;
}

/**
 * Messages on their way out, in one lane per conversation. A message stays
 * until the server has given its final answer or its window has passed; every
 * attempt carries the same client message id, so the server stores it once.
 *
 * Order: a lane has one message on the wire at a time. With more, a message
 * that the server refuses for the moment would be overtaken by those after
 * it, and its retry would come out of order. Commands have no order and no
 * retries; they take a lane of their own beside the messages, several at once.
 *
 * Invariant: `entries` holds exactly what the lanes hold, one entry for each
 * conversation and id.
 */
export class Outbox {
  private readonly lanes = new Map<string, Lane>();
  private readonly entries = new Map<string, Entry>();
  private open = false;

  constructor(
    private readonly port: OutboxPort,
    private readonly windowMs: number,
  ) {}

  /**
   * Queues a message; settles when its fate is known or the window has passed.
   * A message that is queued already is not queued twice: its promise is given
   * again. The id of another message is refused, as the server would refuse it.
   */
  send(request: SendRequest): Promise<Sent> {
    const queued = this.entries.get(entryKey(request.conversation, request.clientMessageID));
    if (queued && sameContent(queued.request, request)) return queued.sent;
    if (queued) return Promise.reject(new ChatError(ParleyErrorCode.ClientMessageIDConflict, 'Another message with this id is being sent.'));
    if (this.entries.size >= MAX_ENTRIES) {
      return Promise.reject(new ChatError(Code.Busy, `At most ${MAX_ENTRIES} messages may wait to be sent.`));
    }
    const entry = newEntry(request);
    entry.deadline.start(this.windowMs, () => this.giveUp(entry));
    this.entries.set(entryKey(request.conversation, request.clientMessageID), entry);
    const lane = this.lane(request);
    lane.entries.push(entry);
    this.pump(lane);
    return entry.sent;
  }

  /** The connection is there: what waits goes out, in order. */
  resume(): void {
    this.open = true;
    for (const lane of this.lanes.values()) {
      lane.backoff.reset();
      this.wake(lane);
    }
  }

  /** The connection is gone; answers that were due will not come. */
  pause(): void {
    this.open = false;
    for (const lane of this.lanes.values()) lane.retry.stop();
  }

  /** Whether messages to this conversation, commands apart, are under way. */
  busy(ref: ConversationRef): boolean {
    return this.lanes.has(refKey(ref));
  }

  /**
   * The message was seen in history before its answer came. Gives whether it
   * was one of those under way.
   */
  confirm(ref: ConversationRef, message: Message, sent: Sent): boolean {
    const entry = this.entries.get(entryKey(ref, message.clientMessageID));
    // With another content it is another message under the same id: the server says so.
    if (!entry || !sameContent(entry.request, message)) return false;
    this.settle(entry, () => entry.resolve(sent));
    return true;
  }

  /** Rejects everything, because the login is over. */
  fail(error: ChatError): void {
    this.pause();
    for (const entry of [...this.entries.values()]) {
      this.remove(entry);
      entry.reject(error);
    }
  }

  private lane(request: SendRequest): Lane {
    const key = laneKey(request);
    let lane = this.lanes.get(key);
    if (!lane) {
      const backoff = new Backoff({ first: RETRY_FIRST_MS, cap: RETRY_CAP_MS }, this.port.random);
      lane = { key, entries: [], backoff, retry: new Timer() };
      this.lanes.set(key, lane);
    }
    return lane;
  }

  private pump(lane: Lane): void {
    if (!this.open) return;
    const width = lane.entries[0] && isCommand(lane.entries[0].request) ? COMMANDS_AT_ONCE : 1;
    for (const entry of lane.entries.slice(0, width)) {
      if (entry.state === 'queued') this.dispatch(lane, entry);
    }
  }

  private dispatch(lane: Lane, entry: Entry): void {
    entry.state = 'inFlight';
    entry.tries++;
    this.port.transmit(entry.request).then(
      (sent) => this.settle(entry, () => entry.resolve(sent)),
      (reason: unknown) => this.failed(lane, entry, asChatError(reason)),
    );
  }

  private failed(lane: Lane, entry: Entry, error: ChatError): void {
    // A command is not stored, so the server cannot tell a retry from a second one.
    const final = !error.retryable || isCommand(entry.request);
    if (final) return this.settle(entry, () => entry.reject(error));
    if (!this.alive(entry)) return;
    entry.state = 'waiting';
    if (!this.open) return this.wake(lane);
    lane.retry.start(error.retryAfterMs + lane.backoff.next(), () => this.wake(lane));
  }

  private wake(lane: Lane): void {
    lane.retry.stop();
    for (const entry of lane.entries) if (entry.state === 'waiting') entry.state = 'queued';
    this.pump(lane);
  }

  private settle(entry: Entry, tell: () => void): void {
    if (!this.alive(entry)) return;
    const lane = this.lane(entry.request);
    lane.backoff.reset();
    this.remove(entry);
    tell();
    this.pump(lane);
  }

  // A given-up message may have been sent again under its id, as a new entry.
  private alive(entry: Entry): boolean {
    return this.entries.get(entryKey(entry.request.conversation, entry.request.clientMessageID)) === entry;
  }

  private giveUp(entry: Entry): void {
    const lane = this.lane(entry.request);
    this.remove(entry);
    const tried = entry.tries > 0 ? 'The outcome is unknown.' : 'It was never sent.';
    entry.reject(new ChatError(Code.Network, `The message could not be sent in time. ${tried}`));
    this.pump(lane);
  }

  private remove(entry: Entry): void {
    entry.deadline.stop();
    this.entries.delete(entryKey(entry.request.conversation, entry.request.clientMessageID));
    const lane = this.lanes.get(laneKey(entry.request));
    const index = lane?.entries.indexOf(entry) ?? -1;
    if (!lane || index < 0) return;
    lane.entries.splice(index, 1);
    if (lane.entries.length > 0) return;
    lane.retry.stop();
    this.lanes.delete(lane.key);
  }
}

const MAX_ENTRIES = 1000;
const COMMANDS_AT_ONCE = 8;
const RETRY_FIRST_MS = 400;
const RETRY_CAP_MS = 5_000;

function newEntry(request: SendRequest): Entry {
  let resolve!: (sent: Sent) => void;
  let reject!: (error: ChatError) => void;
  const sent = new Promise<Sent>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { request, sent, resolve, reject, state: 'queued', tries: 0, deadline: new Timer() };
}

// The server tells ids apart within a conversation only.
function entryKey(ref: ConversationRef, clientMessageID: string): string {
  return `${clientMessageID} ${refKey(ref)}`;
}

function isCommand(request: SendRequest): boolean {
  return request.type === MessageType.Command;
}

function laneKey(request: SendRequest): string {
  const key = refKey(request.conversation);
  return isCommand(request) ? `commands ${key}` : key;
}

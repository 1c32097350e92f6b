import { CatchUp } from './catchup.js';
import type { Listed } from './conversations.js';
import { ConversationStore } from './conversations.js';
import type { ConversationRef, Message, Sent } from './domain.js';
import { refKey } from './domain.js';
import type { ChatError } from './errors.js';
import type { AskKind, ConversationPage, ListRequest, Pushes, Reply, Requests, SendRequest, ServerBody, UnreadCleared } from './frames.js';
import type { HeadSource } from './inbox.js';
import { Inbox } from './inbox.js';
import { EntryLookup } from './lookup.js';
import { Outbox } from './outbox.js';
import type { Slice, SlicePort } from './slice.js';
import { give } from './slice.js';
import { slices } from './slices.js';
import { Timer } from './timer.js';

/** What one login's session needs and reports. */
export interface SessionPort extends SlicePort {
  readonly selfID: string;
  readonly resendWindowMs: number;
  readonly random: () => number;
  /** One attempt on the present link. */
  attempt(request: SendRequest): Promise<Sent>;
  /** Asks as the contract says for the method. */
  request<K extends AskKind>(kind: K, value: Requests[K]): Promise<Reply<K>>;
  /** Server time when the server was last heard. */
  lastHeard(): number;
}

/**
 * What one login knows: messages on their way out, the order of what comes in,
 * the conversation list. It lives from the first welcome to the end of the
 * login and survives reconnects.
 */
export class Session {
  readonly store: ConversationStore;
  private readonly outbox: Outbox;
  private readonly inbox: Inbox;
  private readonly entries: EntryLookup;
  // Messages of conversations whose unread count is being asked for.
  private readonly held = new Map<string, Message[][]>();
  private readonly catchUp: CatchUp;
  private readonly slices: readonly Slice[];
  private readonly firstPage = new Timer();
  private ended = false;

  /** `loginTime` is the server time of the first welcome. */
  constructor(
    private readonly port: SessionPort,
    loginTime: number,
  ) {
    this.outbox = new Outbox({ transmit: (request) => this.transmit(request), random: port.random }, port.resendWindowMs);
    this.store = new ConversationStore(port.selfID, {
      // A listener of the first may log out.
      changed: (changes) => !this.ended && port.emit('conversations', changes),
      totalUnread: (total) => !this.ended && port.emit('totalUnread', total),
      unknown: (ref) => !this.ended && void this.entries.want(ref),
      totalUnknown: () => !this.ended && void this.list({ count: FIRST_PAGE }, false).catch(() => undefined),
    });
    this.inbox = new Inbox(
      {
        history: (request) => port.request('queryMessages', request),
        sending: (ref) => this.outbox.busy(ref),
        deliver: (ref, messages) => this.deliver(ref, messages),
      },
      loginTime,
    );
    this.entries = new EntryLookup((only) => this.lookUp(only));
    this.catchUp = new CatchUp({ list: async (request) => this.take(await this.askList(request), 'catchUp', false) });
    const own: Slice = {
      pushed: {
        message: (message) => this.inbox.pushed(message),
        behind: () => void this.catchUp.from(port.lastHeard()),
        unreadChanged: (cleared) => this.store.cleared(cleared),
      },
    };
    this.slices = [own, ...slices.map((slice) => slice({ emit: (...event) => !this.ended && port.emit(...event) }))];
  }

  /** The first welcome: sends may go, the list's top is loaded. */
  begin(): void {
    this.outbox.resume();
    this.loadFirstPage();
    for (const slice of this.slices) slice.welcomed?.(false);
  }

  /** The connection is gone. */
  pause(): void {
    this.outbox.pause();
    this.inbox.pause();
  }

  /** The connection is back; something was last heard at this server time. */
  resume(lastHeard: number): void {
    this.outbox.resume();
    this.inbox.resume();
    void this.catchUp.from(lastHeard);
    for (const slice of this.slices) slice.welcomed?.(true);
  }

  /** The login is over: what is under way rejects, and no listener hears of anything. */
  end(error: ChatError): void {
    this.ended = true;
    this.outbox.fail(error);
    this.inbox.pause();
    this.entries.stop();
    this.held.clear();
    this.catchUp.stop();
    this.firstPage.stop();
    for (const slice of this.slices) slice.ended?.();
  }

  /** Takes a push of the server. */
  pushed(body: NonNullable<ServerBody>): void {
    give(this.slices, body.kind as keyof Pushes, body.value as never);
  }

  /** Sends until the server has accepted or refused. */
  async send(request: SendRequest): Promise<Message> {
    return messageOf(request, await this.outbox.send(request), this.port.selfID);
  }

  /** Asks for a page of the list and takes it in; `quiet` tells no changes. */
  async list(request: ListRequest, quiet: boolean): Promise<ConversationPage> {
    return this.take(await this.askList(request), 'list', quiet);
  }

  /** Marks a conversation as read. */
  async clearUnread(conversation: ConversationRef): Promise<UnreadCleared> {
    // What becomes less is known of a listed conversation only.
    if (!this.store.get(conversation)) await this.entries.want(conversation);
    const cleared = await this.port.request('clearUnread', { conversation });
    if (!this.ended) this.store.cleared(cleared);
    return cleared;
  }

  private async transmit(request: SendRequest): Promise<Sent> {
    const sent = await this.port.attempt(request);
    this.inbox.acked(request.conversation, sent);
    if (!this.ended) this.store.accepted(messageOf(request, sent, this.port.selfID));
    return sent;
  }

  // Everything counts from this page: it is asked for until it has come.
  private loadFirstPage(): void {
    this.askList({ count: FIRST_PAGE }).then(
      (reply) => void this.take(reply, 'login', true),
      () => !this.ended && this.firstPage.start(FIRST_PAGE_RETRY_MS, () => this.loadFirstPage()),
    );
  }

  private async askList(request: ListRequest): Promise<Listed> {
    const askedAt = this.store.tick;
    const page = await this.port.request('listConversations', request);
    return { page, askedAt, top: !request.before && !request.only };
  }

  private take(reply: Listed, source: HeadSource, quiet: boolean): ConversationPage {
    const { page } = reply;
    if (this.ended) return page;
    const conversations = this.store.listed(reply, quiet);
    for (const { ref } of page.conversations) this.release(ref);
    for (const conversation of page.conversations) this.inbox.observed(conversation, source);
    return { ...page, conversations };
  }

  private async lookUp(only: ConversationRef[]): Promise<void> {
    await this.list({ count: only.length, only }, false).catch(() => undefined);
    for (const ref of only) this.release(ref);
  }

  // The list hears of a conversation before its messages are delivered. When it is an
  // older one that was not listed yet, its unread count is asked for first.
  private deliver(ref: ConversationRef, messages: Message[]): void {
    const key = refKey(ref);
    const held = this.held.get(key);
    if (held) return void held.push(messages);
    if (this.store.get(ref) || (messages[0]?.seq ?? 0) <= 1) return this.give(ref, messages);
    this.held.set(key, [messages]);
    void this.entries.want(ref);
  }

  private release(ref: ConversationRef): void {
    const held = this.held.get(refKey(ref)) ?? [];
    this.held.delete(refKey(ref));
    for (const messages of held) this.give(ref, messages);
  }

  private give(ref: ConversationRef, messages: Message[]): void {
    if (this.ended) return;
    // An own message in history is the answer that a lost link has swallowed.
    const news = messages.filter((m) => m.senderID !== this.port.selfID || !this.outbox.confirm(ref, m, sentOf(m)));
    this.store.delivered(ref, messages);
    if (news.length > 0 && !this.ended) this.port.emit('messages', ref, news);
  }
}

const FIRST_PAGE = 100;
const FIRST_PAGE_RETRY_MS = 3_000;

function messageOf(request: SendRequest, sent: Sent, senderID: string): Message {
  const { messageID, seq, orderKey, timestamp } = sent;
  return { ...request, senderID, messageID, seq, orderKey, timestamp };
}

function sentOf({ messageID, seq, orderKey, timestamp }: Message): Sent {
  return { messageID, seq, orderKey, timestamp, duplicate: true };
}

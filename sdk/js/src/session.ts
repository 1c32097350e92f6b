import { CatchUp } from './catchup.js';
import type { ConversationChange } from './conversations.js';
import { ConversationStore } from './conversations.js';
import type { ConversationRef, Message, Sent } from './domain.js';
import type { ChatError } from './errors.js';
import type { AskKind, ConversationPage, ListRequest, Reply, Requests, SendRequest, ServerBody, UnreadCleared } from './frames.js';
import { Inbox } from './inbox.js';
import { NameLookup } from './names.js';
import { Outbox } from './outbox.js';
import { Timer } from './timer.js';

/** What one login's session needs and reports. */
export interface SessionPort {
  readonly selfID: string;
  readonly resendWindowMs: number;
  readonly random: () => number;
  /** One attempt on the present link. */
  attempt(request: SendRequest): Promise<Sent>;
  /** A read: repeated until it has an answer or its time is up. */
  read<K extends AskKind>(kind: K, value: Requests[K]): Promise<Reply<K>>;
  conversations(changes: ConversationChange[]): void;
  totalUnread(total: number): void;
  messages(ref: ConversationRef, messages: Message[]): void;
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
  private readonly names: NameLookup;
  private readonly catchUp: CatchUp;
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
      changed: (changes) => !this.ended && port.conversations(changes),
      totalUnread: (total) => !this.ended && port.totalUnread(total),
      unknown: (ref) => !this.ended && this.names.want(ref),
    });
    this.inbox = new Inbox(
      {
        history: (request) => port.read('history', request),
        sending: (ref) => this.outbox.busy(ref),
        deliver: (ref, messages) => this.deliver(ref, messages),
      },
      loginTime,
    );
    this.names = new NameLookup((only) => void this.list({ count: only.length, only }, false).catch(() => undefined));
    this.catchUp = new CatchUp({
      list: (request) => port.read('listConversations', request),
      changed: (page) => this.takePage(page, 'catchUp', false),
    });
  }

  /** The first welcome: sends may go, the list's top is loaded. */
  begin(): void {
    this.outbox.resume();
    this.loadFirstPage();
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
  }

  /** The login is over: what is under way rejects, and no listener hears of anything. */
  end(error: ChatError): void {
    this.ended = true;
    this.outbox.fail(error);
    this.inbox.pause();
    this.names.stop();
    this.catchUp.stop();
    this.firstPage.stop();
  }

  /** Takes a push of the server. */
  pushed(body: NonNullable<ServerBody>, lastHeard: number): void {
    if (body.kind === 'message') this.inbox.pushed(body.value);
    else if (body.kind === 'behind') void this.catchUp.from(lastHeard);
    else if (body.kind === 'unreadChanged') this.store.cleared(body.value);
  }

  /** Sends until the server has accepted or refused. */
  async send(request: SendRequest): Promise<Message> {
    return messageOf(request, await this.outbox.send(request), this.port.selfID);
  }

  /** Asks for a page of the list and takes it in; `quiet` tells no changes. */
  async list(request: ListRequest, quiet: boolean): Promise<ConversationPage> {
    const page = await this.port.read('listConversations', request);
    return this.takePage(page, 'list', quiet);
  }

  /** Marks a conversation as read. */
  async clearUnread(conversation: ConversationRef): Promise<UnreadCleared> {
    const cleared = await this.port.read('clearUnread', { conversation });
    if (!this.ended) this.store.cleared(cleared);
    return cleared;
  }

  private async transmit(request: SendRequest): Promise<Sent> {
    const sent = await this.port.attempt(request);
    this.inbox.acked(request.conversation, sent.seq);
    if (!this.ended) this.store.accepted(messageOf(request, sent, this.port.selfID));
    return sent;
  }

  // Everything counts from this page: it is asked for until it has come.
  private loadFirstPage(): void {
    this.port.read('listConversations', { count: FIRST_PAGE }).then(
      (page) => void this.takePage(page, 'login', true),
      () => !this.ended && this.firstPage.start(FIRST_PAGE_RETRY_MS, () => this.loadFirstPage()),
    );
  }

  private takePage(page: ConversationPage, source: 'login' | 'list' | 'catchUp', quiet: boolean): ConversationPage {
    if (this.ended) return page;
    const conversations = this.store.listed(page, quiet);
    for (const conversation of page.conversations) this.inbox.observed(conversation, source);
    return { ...page, conversations };
  }

  private deliver(ref: ConversationRef, messages: Message[]): void {
    if (this.ended) return;
    // An own message in history is the answer that a lost link has swallowed.
    const news = messages.filter((m) => m.senderID !== this.port.selfID || !this.outbox.confirm(ref, m.clientMessageID, sentOf(m)));
    this.store.delivered(ref, messages);
    if (news.length > 0 && !this.ended) this.port.messages(ref, news);
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

import { batch, effect, signal, untracked } from '@preact/signals';
import { ZIMConnectionEvent, ZIMConnectionState, ZIMConversationType } from 'parley-chat/zim';
import type { ZIMMessage } from 'parley-chat/zim';
import { Connection } from './connection';
import { Conversations } from './conversations';
import { Drafts } from './drafts';
import type { Chat, Environment } from './environment';
import { codeOf, isStaleToken, isUnreached } from './failure';
import { Outbox } from './outbox';
import { Session } from './session';
import type { Account } from './session';
import { Timeline } from './timeline';

/** Messages of one sender that came in together; `text` is what the last one says. */
export interface Arrival {
  readonly id: string;
  readonly count: number;
  readonly text: string;
}

/**
 * Everything the page knows, as signals. The SDK's events come in here and
 * nowhere else; the views read the signals and call the actions.
 */
export class Store {
  readonly session: Session;
  readonly connection: Connection;
  readonly conversations = new Conversations();
  readonly drafts: Drafts;
  /** The conversation on the screen; written by the router. */
  readonly openID = signal<string | undefined>(undefined);
  /** True while somebody can see the page; unread messages are cleared only then. */
  readonly visible = signal(true);
  /** Messages that have arrived in the open conversation, for the announcer. */
  readonly arrived = signal<Arrival | undefined>(undefined);

  private readonly outbox: Outbox;
  private readonly timelines = new Map<string, Timeline>();
  private readonly clearing = new Set<string>();
  private chat: Chat | undefined;
  /** Whose conversations and messages are here: a new login of the same user keeps them. */
  private shownUser: string | undefined;

  constructor(private readonly env: Environment) {
    this.session = new Session(env);
    this.connection = new Connection(env.now);
    this.drafts = new Drafts(env.tab);
    this.outbox = new Outbox({
      chat: () => (this.connection.over.peek() ? undefined : this.chat),
      connected: () => this.connection.connected.peek(),
      self: () => this.self,
      now: env.now,
    });
    effect(() => this.follow(this.session.account.value));
    effect(() => {
      void this.connection.connected.value;
      untracked(() => this.connectionChanged());
    });
    effect(() => this.clearUnreadOfOpen());
  }

  /** The signed-in user's ID; empty when nobody is. */
  get self(): string {
    return this.session.account.peek()?.userID ?? '';
  }

  /** The name to show for a user: from the list, else from the demo users, else the ID. */
  nameOf(userID: string): string {
    const account = this.session.account.value;
    if (userID === account?.userID) return account.userName || userID;
    const listed = this.conversations.get(userID)?.name;
    const demo = this.session.demoUsers.value?.find((user) => user.userID === userID)?.userName;
    return (listed === userID ? undefined : listed) ?? demo ?? listed ?? userID;
  }

  /** The timeline of a conversation, which begins to load with the first call. */
  timeline(id: string): Timeline {
    const known = this.timelines.get(id);
    if (known) return known;
    const made = new Timeline(id, this.self);
    made.dividerSeq.value = untracked(() => this.unreadMark(id));
    this.timelines.set(id, made);
    if (this.chat && this.connection.connected.peek()) void made.refresh(this.chat);
    return made;
  }

  /** Opens a conversation: the divider moves to where the unread messages begin. */
  open(id: string | undefined): void {
    if (id === this.openID.peek()) return;
    if (id !== undefined) {
      const timeline = this.timelines.get(id);
      if (timeline) timeline.dividerSeq.value = this.unreadMark(id);
    }
    this.openID.value = id;
  }

  send(id: string, text: string): void {
    const timeline = this.timeline(id);
    timeline.dividerSeq.value = undefined;
    this.drafts.set(id, '');
    this.outbox.send(timeline, text);
  }

  retry(key: string): void {
    this.outbox.retry(key);
  }

  discard(key: string): void {
    this.outbox.discard(key);
  }

  async loadOlder(id: string): Promise<void> {
    if (this.chat) await this.timeline(id).loadOlder(this.chat);
  }

  /** Tries again what could not be read. */
  async reload(): Promise<void> {
    if (!this.chat) return;
    const open = this.openID.peek();
    await Promise.all([
      this.conversations.refresh(this.chat, this.self),
      open === undefined ? undefined : this.timeline(open).refresh(this.chat),
    ]);
  }

  async loadMoreConversations(): Promise<void> {
    if (this.chat) await this.conversations.loadMore(this.chat, this.self);
  }

  /** Signs in again as the same user, after a kick or the end of a session. */
  async resume(): Promise<void> {
    const account = this.session.account.peek();
    if (!account) return;
    if (account.demo) await this.session.signInAsDemo(account.userID);
    else if (this.connection.trouble.peek() === 'expired') this.session.signOut();
    else this.session.signIn({ ...account });
  }

  /** Does not wait for the SDK's next attempt to connect. */
  connectNow(): void {
    this.env.wakeNetwork();
  }

  async signOut(): Promise<void> {
    await this.chat?.logout();
    this.session.signOut();
  }

  /** Lets the SDK object live and die with the account. */
  private follow(account: Account | undefined): void {
    const before = this.chat;
    this.chat = undefined;
    before?.destroy();
    untracked(() =>
      batch(() => {
        this.connection.begin();
        if (account?.userID !== this.shownUser) this.forget();
        this.shownUser = account?.userID;
        if (!account) return;
        this.drafts.open(account.userID);
        this.connect(account);
      }),
    );
  }

  private forget(): void {
    this.conversations.reset();
    this.outbox.reset();
    this.timelines.clear();
  }

  private connect(account: Account): void {
    const chat = this.env.createChat(account.appID);
    this.chat = chat;
    this.listen(chat);
    void this.login(chat, account, account.token, account.demo);
  }

  private async login(chat: Chat, account: Account, token: string, mayRenew: boolean): Promise<void> {
    const { userID, userName } = account;
    try {
      await chat.login(userID, { userName, token, isOfflineLogin: false, customStatus: '', customStatusDuration: 0 });
    } catch (error) {
      if (chat === this.chat) await this.loginFailed(chat, account, codeOf(error), mayRenew);
    }
  }

  private async loginFailed(chat: Chat, account: Account, code: number, mayRenew: boolean): Promise<void> {
    if (isUnreached(code)) {
      this.connection.changed(ZIMConnectionState.Disconnected, ZIMConnectionEvent.LoginTimeout);
      return;
    }
    const renewable = mayRenew && isStaleToken(code);
    const fresh = renewable ? await this.session.freshToken(account).catch(() => undefined) : undefined;
    if (chat !== this.chat) return;
    if (fresh === undefined) this.session.signOut(code);
    else await this.login(chat, account, fresh, false);
  }

  private listen(chat: Chat): void {
    chat.on('connectionStateChanged', (_, { state, event, extendedData }) => {
      if (chat === this.chat) batch(() => this.connection.changed(state, event, extendedData));
    });
    chat.on('tokenWillExpire', () => void this.renew(chat));
    chat.on('conversationChanged', (_, { infoList }) => this.conversations.apply(infoList, this.self));
    chat.on('conversationTotalUnreadMessageCountUpdated', (_, { totalUnreadMessageCount }) => {
      this.conversations.totalUnread.value = totalUnreadMessageCount;
    });
    chat.on('receivePeerMessage', (_, { fromConversationID, messageList }) => this.receive(fromConversationID, messageList));
  }

  private async renew(chat: Chat): Promise<void> {
    const account = this.session.account.peek();
    if (!account) return;
    const token = await this.session.freshToken(account).catch(() => undefined);
    if (token !== undefined && chat === this.chat) await chat.renewToken(token).catch(() => undefined);
  }

  private receive(id: string, messages: readonly ZIMMessage[]): void {
    const timeline = this.timelines.get(id);
    if (!timeline) return;
    batch(() => {
      if (!this.visible.peek() && timeline.dividerSeq.peek() === undefined) {
        timeline.dividerSeq.value = timeline.entries.peek().findLast((entry) => entry.seq > 0)?.seq;
      }
      timeline.receive(messages);
      if (id === this.openID.peek()) this.arrived.value = { id, count: messages.length, text: timeline.entries.peek().at(-1)?.text ?? '' };
    });
  }

  /** On every new connection everything that may have changed meanwhile is read again. */
  private connectionChanged(): void {
    this.outbox.connectionChanged();
    if (!this.chat || !this.connection.connected.peek()) return;
    void this.refreshList(this.chat);
    for (const timeline of this.timelines.values()) void timeline.refresh(this.chat);
  }

  private async refreshList(chat: Chat): Promise<void> {
    const id = this.openID.peek();
    await this.conversations.refresh(chat, this.self);
    const timeline = id === undefined ? undefined : this.timelines.get(id);
    if (timeline) timeline.dividerSeq.value ??= this.unreadMark(timeline.id);
  }

  private unreadMark(id: string): number | undefined {
    const conversation = this.conversations.get(id);
    return conversation && conversation.unread > 0 ? conversation.readSeq : undefined;
  }

  private clearUnreadOfOpen(): void {
    const id = this.openID.value;
    if (id === undefined || !this.visible.value || !this.connection.connected.value) return;
    const unread = this.conversations.get(id)?.unread ?? 0;
    if (unread === 0 || !this.chat || this.clearing.has(id)) return;
    this.clearing.add(id);
    void this.clearUnread(this.chat, id, unread);
  }

  /** Clears, and once more when further messages came while the server was asked. */
  private async clearUnread(chat: Chat, id: string, unread: number): Promise<void> {
    const cleared = await chat.clearConversationUnreadMessageCount(id, ZIMConversationType.Peer).then(
      () => true,
      () => false,
    );
    this.clearing.delete(id);
    const left = untracked(() => this.conversations.get(id)?.unread ?? 0);
    if (cleared && left > 0 && left !== unread) untracked(() => this.clearUnreadOfOpen());
  }
}

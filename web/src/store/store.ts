import { batch, computed, effect, signal, untracked } from '@preact/signals';
import { ZIMConnectionEvent, ZIMConnectionState } from 'parley-chat';
import type { ZIMMessage } from 'parley-chat';
import { AccountState } from './account';
import type { Account } from './account';
import { BannerState } from './banner-state';
import { Drafts } from './drafts';
import type { Chat, Environment } from './environment';
import { codeOf, isStaleToken, isWorthQueueing } from './failure';
import { InboxList } from './inbox-list';
import { toMessageView } from './message-view';
import { PendingMessages } from './pending';
import { Timeline } from './timeline';
import { UnreadClearer } from './unread';

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
  readonly account: AccountState;
  readonly banner: BannerState;
  readonly inbox = new InboxList();
  readonly drafts: Drafts;
  /** The conversation on the screen; undefined while none is, or nobody is signed in. */
  readonly openTimeline = signal<Timeline | undefined>(undefined);
  /** True while somebody can see the page; unread messages are cleared only then. */
  readonly visible = signal(true);
  /** Messages that have arrived in the open conversation, for the announcer. */
  readonly arrived = signal<Arrival | undefined>(undefined);
  /** True while leaving the page would lose something that was written. */
  readonly unsaved = computed(() => this.pending.unsaved.value.size > 0 || this.drafts.unsaved.value.size > 0);

  private readonly pending: PendingMessages;
  private readonly timelines = new Map<string, Timeline>();
  private chat: Chat | undefined;
  /** Whose conversations and messages are here: a new login of the same user keeps them. */
  private shownUser: string | undefined;
  /** What the address names, also while nobody is signed in. */
  private wantedID: string | undefined;

  constructor(private readonly env: Environment) {
    this.account = new AccountState(env);
    this.banner = new BannerState(env.now);
    this.drafts = new Drafts(env.tab);
    this.pending = new PendingMessages(
      {
        chat: () => (this.banner.over.peek() ? undefined : this.chat),
        connected: () => this.banner.connected.peek(),
        self: () => this.self,
        now: env.now,
        timeline: (id) => this.timeline(id),
      },
      env.tab,
    );
    effect(() => this.follow(this.account.current.value));
    effect(() => {
      void this.banner.connected.value;
      untracked(() => this.connectionChanged());
    });
    new UnreadClearer({
      chat: () => (this.visible.value && this.banner.connected.value ? this.chat : undefined),
      open: () => {
        const id = this.openTimeline.value?.id;
        return id === undefined ? undefined : { id, unread: this.inbox.get(id)?.unread ?? 0 };
      },
    });
  }

  /** The signed-in user's ID; empty when nobody is. */
  get self(): string {
    return this.account.current.peek()?.userID ?? '';
  }

  /** The name to show for a user: from the list, else from the demo users, else the ID. */
  nameOf(userID: string): string {
    const account = this.account.current.value;
    if (userID === account?.userID) return account.userName || userID;
    const listed = this.inbox.get(userID)?.name;
    const demo = this.account.demoUsers.value?.find((user) => user.userID === userID)?.userName;
    return (listed === userID ? undefined : listed) ?? demo ?? listed ?? userID;
  }

  /** The address of a user's picture; empty when there is none. */
  avatarOf(userID: string): string {
    return this.inbox.get(userID)?.avatarUrl ?? '';
  }

  /** Opens a conversation: it begins to load, and the divider moves to where the unread messages begin. */
  open(id: string | undefined): void {
    if (id === this.wantedID) return;
    this.wantedID = id;
    batch(() => this.showWanted());
  }

  send(id: string, text: string): void {
    this.timeline(id).dividerSeq.value = undefined;
    this.drafts.set(id, '');
    this.pending.send(id, text);
  }

  /** Sends a failed message again. */
  retry(key: string): void {
    this.pending.retry(key);
  }

  /** Deletes a failed message. */
  discard(key: string): void {
    this.pending.discard(key);
  }

  /** Takes a failed message back into the field where one writes. */
  edit(key: string): void {
    const taken = this.pending.discard(key);
    if (taken) this.drafts.prepend(taken.conversation, taken.text);
  }

  async loadOlder(timeline: Timeline): Promise<void> {
    if (this.chat) await timeline.loadOlder(this.chat);
  }

  /** Tries again what could not be read. */
  async reload(): Promise<void> {
    if (!this.chat) return;
    await Promise.all([this.inbox.refresh(this.chat, this.self), this.openTimeline.peek()?.refresh(this.chat)]);
  }

  async loadMoreConversations(): Promise<void> {
    if (this.chat) await this.inbox.loadMore(this.chat, this.self);
  }

  /** Signs in again as the same user, after a kick or the end of a session. */
  async resume(): Promise<void> {
    const account = this.account.current.peek();
    if (!account) return;
    if (account.demo) await this.account.signInAsDemo(account.userID);
    else if (this.banner.trouble.peek() === 'expired') this.account.signOut();
    else this.account.signIn({ ...account });
  }

  /** Does not wait for the SDK's next attempt to connect. */
  connectNow(): void {
    this.env.wakeNetwork();
  }

  signOut(): void {
    this.chat?.logout();
    this.account.signOut();
  }

  /** Lets the SDK object live and die with the account. */
  private follow(account: Account | undefined): void {
    const before = this.chat;
    this.chat = undefined;
    before?.destroy();
    untracked(() =>
      batch(() => {
        this.banner.begin();
        if (account?.userID !== this.shownUser) this.turnTo(account?.userID);
        for (const timeline of this.timelines.values()) timeline.expire();
        if (account) this.connect(account);
      }),
    );
  }

  /** Nothing of the user before stays; what this one has not sent yet comes back. */
  private turnTo(user: string | undefined): void {
    this.shownUser = user;
    this.inbox.reset();
    this.timelines.clear();
    this.arrived.value = undefined;
    this.drafts.open(user ?? '');
    this.pending.open(user ?? '');
    this.showWanted();
  }

  private connect(account: Account): void {
    try {
      const chat = this.env.createChat(account.appID);
      this.chat = chat;
      this.listen(chat);
      void this.login(chat, account, account.token, account.demo);
    } catch (error) {
      this.account.signOut(codeOf(error));
    }
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
    if (isWorthQueueing(code) && !isStaleToken(code)) {
      this.banner.changed(ZIMConnectionState.Disconnected, ZIMConnectionEvent.LoginTimeout);
      return;
    }
    const renewable = mayRenew && isStaleToken(code);
    const fresh = renewable ? await this.account.freshToken(account).catch(() => undefined) : undefined;
    if (chat !== this.chat) return;
    if (fresh === undefined) this.account.signOut(code);
    else await this.login(chat, account, fresh, false);
  }

  private listen(chat: Chat): void {
    chat.on('connectionStateChanged', (_, { state, event, extendedData }) => {
      if (chat === this.chat) batch(() => this.banner.changed(state, event, extendedData));
    });
    chat.on('tokenWillExpire', () => void this.renew(chat));
    chat.on('conversationChanged', (_, { infoList }) => this.inbox.apply(infoList, this.self));
    chat.on('conversationTotalUnreadMessageCountUpdated', (_, { totalUnreadMessageCount }) => {
      this.inbox.totalUnread.value = totalUnreadMessageCount;
    });
    chat.on('receivePeerMessage', (_, { fromConversationID, messageList }) => this.receive(fromConversationID, messageList));
  }

  private async renew(chat: Chat): Promise<void> {
    const account = this.account.current.peek();
    if (!account) return;
    const token = await this.account.freshToken(account).catch(() => undefined);
    if (token !== undefined && chat === this.chat) await chat.renewToken(token).catch(() => undefined);
  }

  private receive(id: string, messages: readonly ZIMMessage[]): void {
    const timeline = this.timelines.get(id);
    if (!timeline) return;
    batch(() => {
      if (!this.visible.peek() && timeline.dividerSeq.peek() === undefined) {
        timeline.dividerSeq.value = timeline.messages.peek().findLast(({ seq }) => seq > 0)?.seq;
      }
      timeline.receive(messages);
      if (timeline !== this.openTimeline.peek()) return;
      const news = messages.map((message) => toMessageView(message, this.self)).filter(({ own }) => !own);
      const last = news.at(-1);
      if (last) this.arrived.value = { id, count: news.length, text: last.text };
    });
  }

  /** After a login what may be missing is read; later the SDK delivers all that follows, over lost connections too. */
  private connectionChanged(): void {
    this.pending.connectionChanged();
    if (!this.chat || !this.banner.connected.peek()) return;
    // The list first: it says where the unread messages begin.
    if (!this.inbox.upToDate(this.chat)) void this.refreshList(this.chat);
    this.readOpen();
  }

  private async refreshList(chat: Chat): Promise<void> {
    await this.inbox.refresh(chat, this.self);
    const timeline = this.openTimeline.peek();
    if (timeline) timeline.dividerSeq.value ??= this.unreadMark(timeline.id);
  }

  private timeline(id: string): Timeline {
    const known = this.timelines.get(id);
    if (known) return known;
    const made = new Timeline(id, this.self, (key) => this.pending.settle(key));
    this.timelines.set(id, made);
    return made;
  }

  private showWanted(): void {
    const id = this.wantedID;
    const timeline = id === undefined || this.shownUser === undefined ? undefined : this.timeline(id);
    if (timeline) timeline.dividerSeq.value = untracked(() => this.unreadMark(timeline.id));
    this.openTimeline.value = timeline;
    this.readOpen();
  }

  private readOpen(): void {
    const timeline = this.openTimeline.peek();
    if (timeline?.stale && this.chat && this.banner.connected.peek()) void timeline.refresh(this.chat);
  }

  private unreadMark(id: string): number | undefined {
    const conversation = this.inbox.get(id);
    return conversation && conversation.unread > 0 ? conversation.readSeq : undefined;
  }
}

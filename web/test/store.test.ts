import { ZIMConnectionEvent, ZIMConnectionState } from 'parley-chat/zim';
import type { ZIMMessage } from 'parley-chat/zim';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Environment } from '../src/store/environment';
import { Store } from '../src/store/store';
import { conversation, FakeChat, stored } from './fakechat';

const { Connected, Disconnected, Reconnecting } = ZIMConnectionState;
const { KickedOut, LoginInterrupted, Success, TokenExpired } = ZIMConnectionEvent;

const now = 1_750_000_000_000;

let chats: FakeChat[];
let tokens: number;
let tab: Map<string, string>;

function environment(change: Partial<Environment> = {}): Environment {
  return {
    createChat() {
      const made = new FakeChat();
      made.list = seedList;
      for (const [id, messages] of seedHistory) made.history.set(id, messages);
      chats.push(made);
      return made.chat;
    },
    dev: {
      users: async () => [
        { userID: 'alice', userName: 'Alice' },
        { userID: 'bob', userName: 'Bob' },
      ],
      token: async () => ({ appID: 1, token: `token ${++tokens}` }),
    },
    tab: {
      getItem: (key) => tab.get(key) ?? null,
      setItem: (key, value) => void tab.set(key, value),
      removeItem: (key) => void tab.delete(key),
    },
    wantedUser: undefined,
    wakeNetwork: () => undefined,
    now: () => now,
    ...change,
  };
}

let seedList: FakeChat['list'];
let seedHistory: [string, ZIMMessage[]][];

beforeEach(() => {
  chats = [];
  tokens = 0;
  tab = new Map();
  seedList = [];
  seedHistory = [];
});

const settled = (): Promise<void> => vi.waitFor(() => undefined).then(() => new Promise((done) => setImmediate(done)));
const newest = (): FakeChat => {
  const chat = chats.at(-1);
  if (!chat) throw new Error('no SDK object was made');
  return chat;
};

async function signedIn(change: Partial<Environment> = {}): Promise<Store> {
  const store = new Store(environment(change));
  await store.session.start();
  await store.session.signInAsDemo('alice');
  newest().welcome();
  await settled();
  return store;
}

const texts = (store: Store, id: string): string[] => store.timeline(id).entries.value.map((entry) => `${entry.text}/${entry.state}`);

describe('signing in', () => {
  test('a demo user gets a token and is remembered by the tab', async () => {
    const store = await signedIn();
    expect(newest().logins[0]?.args).toMatchObject(['alice', { token: 'token 1', userName: 'Alice' }]);
    const again = new Store(environment());
    await again.session.start();
    expect(again.session.account.value?.userID).toBe('alice');
    expect(store.connection.connected.value).toBe(true);
  });

  test('the user that the address names wins over the remembered one', async () => {
    await signedIn();
    const other = new Store(environment({ wantedUser: 'bob' }));
    await other.session.start();
    expect(other.session.account.value?.userID).toBe('bob');
  });

  test('a stale token is replaced once; a refused one leads back to the sign-in page with the reason', async () => {
    const store = new Store(environment());
    await store.session.start();
    await store.session.signInAsDemo('alice');
    newest().logins[0]?.reject({ code: 6000106, message: '' });
    await settled();
    expect(newest().logins[1]?.args).toMatchObject(['alice', { token: 'token 2' }]);
    newest().logins[1]?.reject({ code: 6000101, message: '' });
    await settled();
    expect(store.session.account.value).toBeUndefined();
    expect(store.session.failure.value).toBe(6000101);
  });

  test('an expiring token is renewed', async () => {
    await signedIn();
    newest().fire('tokenWillExpire', { second: 30 });
    await settled();
    expect(newest().renewed).toEqual(['token 2']);
  });

  test('a server that cannot be reached does not sign anybody out', async () => {
    const store = new Store(environment());
    await store.session.start();
    await store.session.signInAsDemo('alice');
    newest().logins[0]?.reject({ code: 6000105, message: '' });
    await settled();
    expect(store.session.account.value?.userID).toBe('alice');
    expect(store.connection.trouble.value).toBe('disconnected');
    await store.resume();
    newest().welcome();
    expect(store.connection.trouble.value).toBeUndefined();
  });

  test('another user starts with nothing of the one before', async () => {
    seedHistory = [['bob', [stored(1, 'bob')]]];
    seedList = [conversation('bob', 0, 1, stored(1, 'bob'))];
    const store = await signedIn();
    store.timeline('bob');
    await settled();
    const first = newest();
    seedHistory = [];
    seedList = [];
    await store.signOut();
    await store.session.signInAsDemo('bob');
    expect(first.destroyed).toBe(true);
    expect(store.conversations.list.value).toEqual([]);
    expect(texts(store, 'bob')).toEqual([]);
  });
});

describe('connection', () => {
  test('says what is wrong, and nothing when all is well', async () => {
    const store = await signedIn();
    expect(store.connection.trouble.value).toBeUndefined();
    newest().state(Reconnecting, LoginInterrupted);
    expect(store.connection.trouble.value).toBe('reconnecting');
    store.connection.deviceOnline.value = false;
    expect(store.connection.trouble.value).toBe('offline');
    store.connection.deviceOnline.value = true;
    newest().fire('connectionStateChanged', { state: Reconnecting, event: LoginInterrupted, extendedData: '{"attempt":2,"retryInMs":4000}' });
    expect(store.connection.retryAt.value).toBe(now + 4000);
    newest().state(Connected, Success);
    expect(store.connection.trouble.value).toBeUndefined();
    expect(store.connection.retryAt.value).toBeUndefined();
    newest().state(Disconnected, TokenExpired);
    expect(store.connection.trouble.value).toBe('expired');
  });

  test('a kicked user gets it back with a new login, and keeps what was on the screen', async () => {
    seedHistory = [['bob', [stored(1, 'bob')]]];
    const store = await signedIn();
    store.timeline('bob');
    await settled();
    newest().state(Disconnected, KickedOut);
    expect(store.connection.trouble.value).toBe('kicked');
    await store.resume();
    expect(chats).toHaveLength(2);
    expect(chats[0]?.destroyed).toBe(true);
    expect(texts(store, 'bob')).toEqual(['text 1/sent']);
    newest().welcome();
    expect(store.connection.trouble.value).toBeUndefined();
  });
});

describe('conversations', () => {
  test('are sorted by their latest message and follow the events', async () => {
    seedList = [conversation('bob', 0, 2, stored(2, 'bob')), conversation('carol', 0, 1, stored(1, 'carol'))];
    const store = await signedIn();
    expect(store.conversations.list.value.map(({ id }) => id)).toEqual(['bob', 'carol']);
    newest().conversation(conversation('carol', 1, 1, stored(3, 'carol')));
    expect(store.conversations.list.value.map(({ id, unread }) => [id, unread])).toEqual([
      ['carol', 1],
      ['bob', 0],
    ]);
  });

  test('are read page by page', async () => {
    seedList = Array.from({ length: 150 }, (_, i) => conversation(`u${i}`, 0, 0, stored(1000 - i, `u${i}`)));
    const store = await signedIn();
    expect(store.conversations.list.value).toHaveLength(100);
    await store.loadMoreConversations();
    expect(store.conversations.list.value).toHaveLength(150);
    expect(store.conversations.complete.value).toBe(true);
  });

  test('unread messages are cleared when the conversation is open and somebody sees it', async () => {
    seedList = [conversation('bob', 2, 1, stored(3, 'bob'))];
    const store = await signedIn();
    store.visible.value = false;
    store.open('bob');
    expect(newest().cleared).toEqual([]);
    store.visible.value = true;
    expect(newest().cleared).toEqual(['bob']);
  });

  test('the divider stands where the unread messages begin, and goes with the own answer', async () => {
    seedHistory = [['bob', [stored(1, 'bob'), stored(2, 'bob'), stored(3, 'bob')]]];
    seedList = [conversation('bob', 2, 1, stored(3, 'bob'))];
    const store = await signedIn();
    store.open('bob');
    expect(store.timeline('bob').dividerSeq.value).toBe(1);
    store.send('bob', 'hi');
    expect(store.timeline('bob').dividerSeq.value).toBeUndefined();
  });
});

describe('timeline', () => {
  const history = (from: number, to: number): ZIMMessage[] => Array.from({ length: to - from + 1 }, (_, i) => stored(from + i, 'bob'));
  const seqs = (store: Store): number[] => store.timeline('bob').entries.value.map(({ seq }) => seq);

  test('reads the newest page, then older ones, to the beginning', async () => {
    seedHistory = [['bob', history(1, 100)]];
    const store = await signedIn();
    store.timeline('bob');
    await settled();
    expect(seqs(store)[0]).toBe(61);
    await store.loadOlder('bob');
    expect(store.timeline('bob').complete.value).toBe(false);
    await store.loadOlder('bob');
    expect(seqs(store)).toEqual(history(1, 100).map((message) => message.messageSeq));
    expect(store.timeline('bob').complete.value).toBe(true);
  });

  test('closes the gap of an absence', async () => {
    seedHistory = [['bob', history(1, 50)]];
    const store = await signedIn();
    store.timeline('bob');
    await settled();
    newest().state(Reconnecting, LoginInterrupted);
    newest().history.set('bob', history(1, 150));
    newest().state(Connected, Success);
    await settled();
    expect(seqs(store)).toEqual(Array.from({ length: 140 }, (_, i) => 11 + i));
  });

  test('starts afresh when the absence was too long to read through', async () => {
    seedHistory = [['bob', history(1, 50)]];
    const store = await signedIn();
    store.timeline('bob');
    await settled();
    newest().state(Reconnecting, LoginInterrupted);
    newest().history.set('bob', history(1, 1000));
    newest().state(Connected, Success);
    await settled();
    expect(seqs(store)).toEqual(Array.from({ length: 200 }, (_, i) => 801 + i));
    await store.loadOlder('bob');
    expect(seqs(store)[0]).toBe(761);
  });

  test('a message that is delivered and read from history is shown once', async () => {
    const store = await signedIn();
    store.timeline('bob');
    await settled();
    newest().deliver('bob', stored(1, 'bob'));
    newest().fire('receivePeerMessage', { fromConversationID: 'bob', messageList: [stored(1, 'bob')] });
    await store.timeline('bob').refresh(newest().chat);
    expect(seqs(store)).toEqual([1]);
  });
});

describe('sending', () => {
  test('shows the message at once, and keeps its key when it is acknowledged', async () => {
    const store = await signedIn();
    store.drafts.set('bob', 'hello');
    store.send('bob', 'hello');
    expect(store.drafts.get('bob')).toBe('');
    expect(texts(store, 'bob')).toEqual(['hello/sending']);
    const key = store.timeline('bob').entries.value[0]?.key;
    newest().sends[0]?.resolve({ message: stored(1, 'alice', 'hello') });
    await settled();
    expect(store.timeline('bob').entries.value).toMatchObject([{ key, seq: 1, state: 'sent' }]);
  });

  test('a message that history brought before its acknowledgement is shown once', async () => {
    const store = await signedIn();
    store.send('bob', 'hello');
    newest().history.set('bob', [stored(1, 'alice', 'hello')]);
    await store.timeline('bob').refresh(newest().chat);
    newest().sends[0]?.resolve({ message: stored(1, 'alice', 'hello') });
    await settled();
    expect(texts(store, 'bob')).toEqual(['hello/sent']);
  });

  test('a message that is pushed while its echo is shown takes the echo\'s place', async () => {
    const store = await signedIn();
    store.send('bob', 'hello');
    const [echo] = store.timeline('bob').entries.value;
    (newest().sends[0]?.args[0] as ZIMMessage).localMessageID = 'local';
    newest().state(Reconnecting, LoginInterrupted);
    newest().sends[0]?.reject({ code: 6000105, message: '' });
    await settled();
    newest().state(Connected, Success);
    newest().deliver('bob', { ...stored(1, 'alice', 'hello'), localMessageID: 'local' });
    expect(store.timeline('bob').entries.value).toMatchObject([{ key: echo?.key, seq: 1, state: 'sent' }]);
  });

  test('a refused message fails with its code, is retried as the same message, or deleted', async () => {
    const store = await signedIn();
    store.send('bob', 'one');
    newest().sends[0]?.reject({ code: 6000204, message: '' });
    await settled();
    const [failed] = store.timeline('bob').entries.value;
    expect(failed).toMatchObject({ state: 'failed', failure: 6000204 });
    store.retry(failed?.key ?? '');
    expect(texts(store, 'bob')).toEqual(['one/sending']);
    expect(newest().sends[1]?.args[0]).toBe(newest().sends[0]?.args[0]);
    expect(newest().sends[1]?.args[3]).toMatchObject({ isRetrySend: true });
    newest().sends[1]?.reject({ code: 6000204, message: '' });
    await settled();
    store.discard(failed?.key ?? '');
    expect(texts(store, 'bob')).toEqual([]);
  });

  test('without a connection it waits, says so, and goes out when the connection is back', async () => {
    const store = await signedIn();
    newest().state(Reconnecting, LoginInterrupted);
    store.send('bob', 'later');
    expect(texts(store, 'bob')).toEqual(['later/queued']);
    newest().sends[0]?.reject({ code: 6000105, message: '' });
    await settled();
    expect(texts(store, 'bob')).toEqual(['later/queued']);
    newest().state(Connected, Success);
    expect(texts(store, 'bob')).toEqual(['later/sending']);
    newest().sends[1]?.resolve({ message: stored(1, 'alice', 'later') });
    await settled();
    expect(texts(store, 'bob')).toEqual(['later/sent']);
  });
});

import { ZIMConnectionEvent, ZIMConnectionState } from 'parley-chat';
import type { ZIMMessage } from 'parley-chat';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Environment } from '../src/store/environment';
import { SafeStorage } from '../src/storage';
import { Store } from '../src/store/store';
import type { Timeline } from '../src/store/timeline';
import { conversation, FakeChat, stored } from './fakechat';
import { fakeStorage } from './fakestorage';

const { Connected, Disconnected, Reconnecting } = ZIMConnectionState;
const { KickedOut, LoginInterrupted, Success, TokenExpired } = ZIMConnectionEvent;

const now = 1_750_000_000_000;

let chats: FakeChat[];
let tokens: number;
let tab: Storage;

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
    tab: new SafeStorage(() => tab),
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
  tab = fakeStorage();
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
  await store.account.start();
  await store.account.signInAsDemo('alice');
  newest().welcome();
  await settled();
  return store;
}

/** The timeline of a conversation, which is opened when it is not. */
function opened(store: Store, id: string): Timeline {
  store.open(id);
  const timeline = store.openTimeline.value;
  if (timeline?.id !== id) throw new Error(`${id} is not open`);
  return timeline;
}

const texts = (store: Store, id: string): string[] => opened(store, id).messages.value.map(({ text, state }) => `${text}/${state}`);

describe('signing in', () => {
  test('a demo user gets a token and is remembered by the tab', async () => {
    const store = await signedIn();
    expect(newest().logins[0]?.args).toMatchObject(['alice', { token: 'token 1', userName: 'Alice' }]);
    const again = new Store(environment());
    await again.account.start();
    expect(again.account.current.value?.userID).toBe('alice');
    expect(store.banner.connected.value).toBe(true);
  });

  test('the user that the address names wins over the remembered one', async () => {
    await signedIn();
    const other = new Store(environment({ wantedUser: 'bob' }));
    await other.account.start();
    expect(other.account.current.value?.userID).toBe('bob');
  });

  test('a stale token is replaced once; a refused one leads back to the sign-in page with the reason', async () => {
    const store = new Store(environment());
    await store.account.start();
    await store.account.signInAsDemo('alice');
    newest().logins[0]?.reject({ code: 6000106, message: '' });
    await settled();
    expect(newest().logins[1]?.args).toMatchObject(['alice', { token: 'token 2' }]);
    newest().logins[1]?.reject({ code: 6000101, message: '' });
    await settled();
    expect(store.account.current.value).toBeUndefined();
    expect(store.account.failure.value).toBe(6000101);
  });

  test('an expiring token is renewed', async () => {
    await signedIn();
    newest().fire('tokenWillExpire', { second: 30 });
    await settled();
    expect(newest().renewed).toEqual(['token 2']);
  });

  test('a server that cannot be reached does not sign anybody out', async () => {
    const store = new Store(environment());
    await store.account.start();
    await store.account.signInAsDemo('alice');
    newest().logins[0]?.reject({ code: 6000105, message: '' });
    await settled();
    expect(store.account.current.value?.userID).toBe('alice');
    expect(store.banner.trouble.value).toBe('disconnected');
    await store.resume();
    newest().welcome();
    expect(store.banner.trouble.value).toBeUndefined();
  });

  test('an app ID that the SDK refuses leads back to the sign-in page with the reason, and is not kept', async () => {
    const refusing = environment({
      createChat: () => {
        throw { code: 6000003, message: '' };
      },
    });
    const store = new Store(refusing);
    store.account.signIn({ appID: 5_000_000_000, userID: 'alice', userName: '', token: 't', demo: false });
    expect(store.account.current.value).toBeUndefined();
    expect(store.account.failure.value).toBe(6000003);
    const again = new Store(environment());
    await again.account.start();
    expect(again.account.current.value).toBeUndefined();
  });

  test('another user starts with nothing of the one before', async () => {
    seedHistory = [['bob', [stored(1, 'bob')]]];
    seedList = [conversation('bob', 0, 1, stored(1, 'bob'))];
    const store = await signedIn();
    store.open('bob');
    await settled();
    const first = newest();
    seedHistory = [];
    seedList = [];
    store.signOut();
    await store.account.signInAsDemo('bob');
    expect(first.destroyed).toBe(true);
    expect(store.inbox.list.value).toEqual([]);
    expect(texts(store, 'bob')).toEqual([]);
  });
});

describe('connection', () => {
  test('says what is wrong, and nothing when all is well', async () => {
    const store = await signedIn();
    expect(store.banner.trouble.value).toBeUndefined();
    newest().state(Reconnecting, LoginInterrupted);
    expect(store.banner.trouble.value).toBe('reconnecting');
    store.banner.deviceOnline.value = false;
    expect(store.banner.trouble.value).toBe('offline');
    store.banner.deviceOnline.value = true;
    newest().fire('connectionStateChanged', { state: Reconnecting, event: LoginInterrupted, extendedData: '{"attempt":2,"retryInMs":4000}' });
    expect(store.banner.retryAt.value).toBe(now + 4000);
    newest().state(Connected, Success);
    expect(store.banner.trouble.value).toBeUndefined();
    expect(store.banner.retryAt.value).toBeUndefined();
    newest().state(Disconnected, TokenExpired);
    expect(store.banner.trouble.value).toBe('expired');
  });

  test('a kicked user gets it back with a new login, and keeps what was on the screen', async () => {
    seedHistory = [['bob', [stored(1, 'bob')]]];
    const store = await signedIn();
    store.open('bob');
    await settled();
    newest().state(Disconnected, KickedOut);
    expect(store.banner.trouble.value).toBe('kicked');
    await store.resume();
    expect(chats).toHaveLength(2);
    expect(chats[0]?.destroyed).toBe(true);
    expect(texts(store, 'bob')).toEqual(['text 1/sent']);
    newest().welcome();
    expect(store.banner.trouble.value).toBeUndefined();
  });
});

describe('conversations', () => {
  test('shows the ID of somebody whose name nobody could see', async () => {
    seedList = [{ ...conversation('bob', 0, 1, stored(1, 'bob')), conversationName: '\u202E\u200F ' }];
    const users = async (): Promise<{ userID: string; userName: string }[]> => [{ userID: 'carol', userName: '\u3164' }];
    const store = await signedIn({ dev: { users, token: async () => ({ appID: 1, token: 't' }) } });
    expect([store.nameOf('bob'), store.nameOf('carol')]).toEqual(['bob', 'carol']);
  });

  test('are sorted by their latest message and follow the events', async () => {
    seedList = [conversation('bob', 0, 2, stored(2, 'bob')), conversation('carol', 0, 1, stored(1, 'carol'))];
    const store = await signedIn();
    expect(store.inbox.list.value.map(({ id }) => id)).toEqual(['bob', 'carol']);
    newest().conversation(conversation('carol', 1, 1, stored(3, 'carol')));
    expect(store.inbox.list.value.map(({ id, unread }) => [id, unread])).toEqual([
      ['carol', 1],
      ['bob', 0],
    ]);
  });

  test('are read page by page', async () => {
    seedList = Array.from({ length: 150 }, (_, i) => conversation(`u${i}`, 0, 0, stored(1000 - i, `u${i}`)));
    const store = await signedIn();
    expect(store.inbox.list.value).toHaveLength(100);
    await store.loadMoreConversations();
    expect(store.inbox.list.value).toHaveLength(150);
    expect(store.inbox.complete.value).toBe(true);
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

  test('a conversation that could not be marked as read is marked later, while it stays open', async () => {
    vi.useFakeTimers();
    try {
      seedList = [conversation('bob', 2, 1, stored(3, 'bob'))];
      const store = new Store(environment());
      await store.account.signInAsDemo('alice');
      newest().welcome();
      await vi.advanceTimersByTimeAsync(0);
      newest().failing = { code: 6000104, message: '' };
      store.open('bob');
      await vi.advanceTimersByTimeAsync(25_000);
      expect(newest().cleared).toEqual(['bob', 'bob', 'bob']);
      newest().failing = undefined;
      await vi.advanceTimersByTimeAsync(10_000);
      newest().conversation(conversation('bob', 0, 3, stored(3, 'bob')));
      await vi.advanceTimersByTimeAsync(60_000);
      expect(newest().cleared).toHaveLength(4);
    } finally {
      vi.useRealTimers();
    }
  });

  test('a page that could not be read can be asked for again', async () => {
    seedList = Array.from({ length: 150 }, (_, i) => conversation(`u${i}`, 0, 0, stored(1000 - i, `u${i}`)));
    const store = await signedIn();
    newest().failing = { code: 6000104, message: '' };
    await store.loadMoreConversations();
    expect(store.inbox.moreFailed.value).toBe(true);
    newest().failing = undefined;
    await store.loadMoreConversations();
    expect(store.inbox.moreFailed.value).toBe(false);
    expect(store.inbox.list.value).toHaveLength(150);
  });

  test('the divider stands where the unread messages begin, and goes with the own answer', async () => {
    seedHistory = [['bob', [stored(1, 'bob'), stored(2, 'bob'), stored(3, 'bob')]]];
    seedList = [conversation('bob', 2, 1, stored(3, 'bob'))];
    const store = await signedIn();
    store.open('bob');
    expect(opened(store, 'bob').dividerSeq.value).toBe(1);
    store.send('bob', 'hi');
    expect(opened(store, 'bob').dividerSeq.value).toBeUndefined();
  });
});

describe('timeline', () => {
  const history = (from: number, to: number): ZIMMessage[] => Array.from({ length: to - from + 1 }, (_, i) => stored(from + i, 'bob'));
  const seqs = (store: Store): number[] => opened(store, 'bob').messages.value.map(({ seq }) => seq);

  test('reads the newest page, then older ones, to the beginning', async () => {
    seedHistory = [['bob', history(1, 100)]];
    const store = await signedIn();
    store.open('bob');
    await settled();
    expect(seqs(store)[0]).toBe(61);
    await store.loadOlder(opened(store, 'bob'));
    expect(opened(store, 'bob').complete.value).toBe(false);
    await store.loadOlder(opened(store, 'bob'));
    expect(seqs(store)).toEqual(history(1, 100).map((message) => message.messageSeq));
    expect(opened(store, 'bob').complete.value).toBe(true);
  });

  /** Somebody else used the account meanwhile; now it is used here again. */
  const resumed = async (store: Store, messages: ZIMMessage[]): Promise<void> => {
    newest().state(Disconnected, KickedOut);
    seedHistory = [['bob', messages]];
    await store.resume();
    newest().welcome();
    await settled();
  };

  test('a lost connection leaves no gap: nothing is read again when it is back', async () => {
    seedHistory = [['bob', history(1, 50)]];
    const store = await signedIn();
    store.open('bob');
    await settled();
    const { histories } = newest();
    newest().state(Reconnecting, LoginInterrupted);
    newest().state(Connected, Success);
    await settled();
    expect(newest().histories).toBe(histories);
  });

  test('a new login reads the open conversation, the others when they are opened', async () => {
    seedHistory = [['bob', history(1, 50)]];
    const store = await signedIn();
    for (const id of ['bob', 'carol', 'dave']) store.open(id);
    await settled();
    await resumed(store, history(1, 60));
    expect(newest().histories).toBe(1);
    store.open('bob');
    await settled();
    expect(seqs(store).at(-1)).toBe(60);
  });

  test('older messages that could not be read can be asked for again', async () => {
    seedHistory = [['bob', history(1, 100)]];
    const store = await signedIn();
    store.open('bob');
    await settled();
    newest().failing = { code: 6000104, message: '' };
    await store.loadOlder(opened(store, 'bob'));
    expect(opened(store, 'bob').olderFailed.value).toBe(true);
    newest().failing = undefined;
    await store.loadOlder(opened(store, 'bob'));
    expect(opened(store, 'bob').olderFailed.value).toBe(false);
    expect(seqs(store)[0]).toBe(21);
  });

  test('a time that no calendar has is no reason not to show the message', async () => {
    seedHistory = [['bob', [{ ...stored(1, 'bob'), timestamp: 1e18 }, { ...stored(2, 'bob'), timestamp: Number.NaN }]]];
    const store = await signedIn();
    store.open('bob');
    await settled();
    for (const { time } of opened(store, 'bob').messages.value) expect(() => new Date(time).toISOString()).not.toThrow();
  });

  test('only what others say is announced, once for each message', async () => {
    const store = await signedIn();
    store.open('bob');
    await settled();
    store.send('bob', 'my own failed text');
    newest().sends[0]?.reject({ code: 6000204, message: '' });
    await settled();
    newest().deliver('bob', stored(1, 'bob', 'hello'));
    expect(store.arrived.value).toEqual({ id: 'bob', count: 1, text: 'hello' });
    const before = store.arrived.value;
    newest().deliver('bob', stored(2, 'bob', 'hello'));
    expect(store.arrived.value).not.toBe(before);
    newest().deliver('bob', stored(3, 'alice', 'mine, from before the reload'));
    expect(store.arrived.value?.text).toBe('hello');
  });

  test('closes the gap of an absence', async () => {
    seedHistory = [['bob', history(1, 50)]];
    const store = await signedIn();
    store.open('bob');
    await settled();
    await resumed(store, history(1, 150));
    expect(seqs(store)).toEqual(Array.from({ length: 140 }, (_, i) => 11 + i));
  });

  test('starts afresh when the absence was too long to read through', async () => {
    seedHistory = [['bob', history(1, 50)]];
    const store = await signedIn();
    store.open('bob');
    await settled();
    newest().state(Disconnected, KickedOut);
    seedHistory = [['bob', history(1, 1000)]];
    await store.resume();
    newest().welcome();
    // This one comes before the answer to the first page: it must not pass for the end of what is known.
    newest().deliver('bob', stored(1001, 'bob'));
    await settled();
    expect(seqs(store)).toEqual(Array.from({ length: 201 }, (_, i) => 801 + i));
    await store.loadOlder(opened(store, 'bob'));
    expect(seqs(store)[0]).toBe(761);
  });

  test('a message that is delivered and read from history is shown once', async () => {
    const store = await signedIn();
    store.open('bob');
    await settled();
    newest().deliver('bob', stored(1, 'bob'));
    newest().fire('receivePeerMessage', { fromConversationID: 'bob', messageList: [stored(1, 'bob')] });
    await opened(store, 'bob').refresh(newest().chat);
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
    const key = opened(store, 'bob').messages.value[0]?.key;
    newest().sends[0]?.resolve({ message: stored(1, 'alice', 'hello') });
    await settled();
    expect(opened(store, 'bob').messages.value).toMatchObject([{ key, seq: 1, state: 'sent' }]);
  });

  test('a message that history brought before its acknowledgement is shown once', async () => {
    const store = await signedIn();
    store.send('bob', 'hello');
    newest().history.set('bob', [stored(1, 'alice', 'hello')]);
    await opened(store, 'bob').refresh(newest().chat);
    newest().sends[0]?.resolve({ message: stored(1, 'alice', 'hello') });
    await settled();
    expect(texts(store, 'bob')).toEqual(['hello/sent']);
  });

  test('a message that is pushed while its echo is shown takes the echo\'s place', async () => {
    const store = await signedIn();
    store.send('bob', 'hello');
    const [echo] = opened(store, 'bob').messages.value;
    (newest().sends[0]?.args[0] as ZIMMessage).localMessageID = 'local';
    newest().state(Reconnecting, LoginInterrupted);
    newest().sends[0]?.reject({ code: 6000105, message: '' });
    await settled();
    newest().state(Connected, Success);
    newest().deliver('bob', { ...stored(1, 'alice', 'hello'), localMessageID: 'local' });
    expect(opened(store, 'bob').messages.value).toMatchObject([{ key: echo?.key, seq: 1, state: 'sent' }]);
  });

  test('a refused message fails with its code, is retried as the same message, or deleted', async () => {
    const store = await signedIn();
    store.send('bob', 'one');
    newest().sends[0]?.reject({ code: 6000204, message: '' });
    await settled();
    const [failed] = opened(store, 'bob').messages.value;
    expect(failed).toMatchObject({ state: 'failed', failure: 6000204 });
    store.retry(failed?.key ?? '');
    expect(texts(store, 'bob')).toEqual(['one/sending']);
    expect(newest().sends[1]?.args[0]).toBe(newest().sends[0]?.args[0]);
    expect(newest().sends[1]?.args[3]).toMatchObject({ isRetrySend: true });
    store.retry(failed?.key ?? '');
    expect(newest().sends).toHaveLength(2);
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

  test('a pending message goes by the server\'s clock', async () => {
    const store = await signedIn();
    newest().serverTime = now + 7_200_000;
    store.send('bob', 'hello');
    expect(opened(store, 'bob').messages.value[0]?.time).toBe(now + 7_200_000);
  });

  test('a failed message can be taken back into the composer, before what is written there', async () => {
    const store = await signedIn();
    store.send('bob', 'frist');
    newest().sends[0]?.reject({ code: 6000204, message: '' });
    await settled();
    store.drafts.set('bob', 'second');
    store.edit(opened(store, 'bob').messages.value[0]?.key ?? '');
    expect(texts(store, 'bob')).toEqual([]);
    expect(store.drafts.get('bob')).toBe('frist\nsecond');
  });

  test('one that the end of the login has rejected goes out after the next login, as the same message', async () => {
    const store = await signedIn();
    store.send('bob', 'once');
    newest().state(Disconnected, KickedOut);
    newest().sends[0]?.reject({ code: 6000122, message: '' });
    await settled();
    expect(texts(store, 'bob')).toEqual(['once/queued']);
    await store.resume();
    newest().welcome();
    expect(newest().sends[0]?.args[0]).toMatchObject({ message: 'once', localMessageID: 'local 1' });
    expect(newest().sends[0]?.args[3]).toMatchObject({ isRetrySend: true });
  });
});

describe('after a reload', () => {
  const offline = async (change: Partial<Environment> = {}): Promise<Store> => {
    const store = await signedIn(change);
    newest().state(Reconnecting, LoginInterrupted);
    return store;
  };
  const reloaded = async (change: Partial<Environment> = {}): Promise<Store> => {
    const store = new Store(environment(change));
    await store.account.start();
    return store;
  };

  test('messages that were not acknowledged are shown, and go out in their order as the same messages', async () => {
    const before = await offline();
    for (let i = 1; i <= 12; i++) before.send('bob', `text ${i}`);
    const sent = newest().sends.map(({ args }) => (args[0] as ZIMMessage).localMessageID);
    const store = await reloaded();
    const expected = Array.from({ length: 12 }, (_, i) => `text ${i + 1}`);
    expect(texts(store, 'bob')).toEqual(expected.map((text) => `${text}/queued`));
    newest().welcome();
    expect(newest().sends.map(({ args }) => (args[0] as { message: string }).message)).toEqual(expected);
    expect(newest().sends.map(({ args }) => (args[0] as ZIMMessage).localMessageID)).toEqual(sent);
    expect(newest().sends[0]?.args[3]).toMatchObject({ isRetrySend: true });
    store.send('bob', 'text 13');
    expect(new Set(opened(store, 'bob').messages.value.map(({ key }) => key)).size).toBe(13);
  });

  test('a failed one is still failed, with its reason', async () => {
    const before = await signedIn();
    before.send('bob', 'one');
    newest().sends[0]?.reject({ code: 6000204, message: '' });
    await settled();
    const store = await reloaded();
    newest().welcome();
    expect(newest().sends).toHaveLength(0);
    expect(opened(store, 'bob').messages.value).toMatchObject([{ text: 'one', state: 'failed', failure: 6000204 }]);
    store.discard(opened(store, 'bob').messages.value[0]?.key ?? '');
    expect(texts(await reloaded(), 'bob')).toEqual([]);
  });

  test('one that the server has is taken from the history, and not kept any longer', async () => {
    const before = await offline();
    before.send('bob', 'hello');
    seedHistory = [['bob', [{ ...stored(1, 'alice', 'hello'), localMessageID: 'local 1' }]]];
    const store = await reloaded();
    store.open('bob');
    newest().welcome();
    await settled();
    expect(texts(store, 'bob')).toEqual(['hello/sent']);
    expect(texts(await reloaded(), 'bob')).toEqual([]);
  });

  test('an acknowledged one is forgotten, and another user sees nothing of it', async () => {
    const before = await offline();
    before.send('bob', 'acknowledged');
    before.send('bob', 'not yet');
    newest().sends[0]?.resolve({ message: stored(1, 'alice', 'acknowledged') });
    await settled();
    const bobs = new Store(environment());
    await bobs.account.signInAsDemo('bob');
    expect(texts(bobs, 'alice')).toEqual([]);
    await bobs.account.signInAsDemo('alice');
    expect(texts(bobs, 'bob')).toEqual(['not yet/queued']);
  });

  test('what is broken in the storage is skipped', async () => {
    tab.setItem('parley.pending.alice/1', '{"conversation":"bob"}');
    tab.setItem('parley.pending.alice/oops', 'no JSON');
    tab.setItem('parley.account', '[1]');
    const store = await signedIn();
    expect(texts(store, 'bob')).toEqual([]);
    store.send('bob', 'works');
    expect(texts(store, 'bob')).toEqual(['works/sending']);
  });

  const blocked = new SafeStorage(() => {
    throw new DOMException('denied', 'SecurityError');
  });
  const full = (): SafeStorage => {
    const storage = fakeStorage();
    storage.setItem = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
    return new SafeStorage(() => storage);
  };

  test.each([
    ['blocked', () => blocked],
    ['full', full],
  ])('with storage that is %s everything works, and leaving would lose what is unsaved', async (_, storage) => {
    const store = await signedIn({ tab: storage() });
    expect(store.banner.connected.value).toBe(true);
    expect(store.unsaved.value).toBe(false);
    store.drafts.set('bob', 'hello');
    expect([store.drafts.get('bob'), store.unsaved.value]).toEqual(['hello', true]);
    store.send('bob', 'hello');
    expect([store.drafts.get('bob'), store.unsaved.value]).toEqual(['', true]);
    newest().sends[0]?.resolve({ message: stored(1, 'alice', 'hello') });
    await settled();
    expect(texts(store, 'bob')).toEqual(['hello/sent']);
    expect(store.unsaved.value).toBe(false);
  });

  test('storage that lets one write again is used again', () => {
    const storage = fakeStorage();
    const { setItem } = storage;
    const safe = new SafeStorage(() => storage);
    storage.setItem = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
    expect([safe.set('a', '1'), safe.get('a'), storage.getItem('a')]).toEqual([false, '1', null]);
    storage.setItem = setItem;
    expect([safe.set('a', '2'), safe.get('a'), storage.getItem('a')]).toEqual([true, '2', '2']);
    safe.remove('a');
    expect(safe.get('a')).toBeUndefined();
  });

  test('typing writes the one draft that changes', async () => {
    const store = await signedIn();
    store.drafts.set('carol', 'x'.repeat(1000));
    const written = vi.spyOn(tab, 'setItem');
    store.drafts.set('bob', 'h');
    expect(written.mock.calls).toEqual([['parley.draft.alice/bob', 'h']]);
    const again = await reloaded();
    expect([again.drafts.get('bob'), again.drafts.get('carol')]).toEqual(['h', 'x'.repeat(1000)]);
  });
});

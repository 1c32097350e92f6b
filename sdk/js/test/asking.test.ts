import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { methods } from '../src/gen/wire/wire.js';
import { toHex } from '../src/hex.js';
import { App, pass, peer } from './fake/app.js';
import { FakeServer } from './fake/server.js';
import { TOKEN } from './fake/zim.js';

let server: FakeServer;
let app: App;
let asked: [kind: string, requestID: string][];

beforeEach(async () => {
  vi.useFakeTimers();
  server = new FakeServer();
  server.post('bob', 'alice', 'hi');
  app = new App(server);
  const entered = app.client.login({ appID: 1, userID: 'alice', token: TOKEN });
  await pass(20);
  await entered;
  asked = [];
});

afterEach(() => {
  app.client.close();
  vi.useRealTimers();
});

// The first request of the kind gets no answer, for the connection breaks.
function loseFirst(lost: string): void {
  server.onRequest = (kind, requestID) => {
    if (kind !== lost) return undefined;
    asked.push([kind, toHex(requestID)]);
    if (asked.length > 1) return undefined;
    setTimeout(() => server.cut(), 1);
    return 'swallow';
  };
}

describe('asking by the name of a method', () => {
  it('repeats a write under one request id', async () => {
    expect(methods.clearUnread.kind).toBe('write');
    loseFirst('clearUnread');
    const answer = app.client.ask('clearUnread', { conversation: peer('bob') });
    await pass(5_000);
    await expect(answer).resolves.toMatchObject({ readSeq: 1 });
    expect(asked).toEqual([
      ['clearUnread', expect.stringMatching(/^[0-9a-f]{32}$/)],
      ['clearUnread', asked[0]?.[1]],
    ]);
  });

  it('gives every write an id of its own', async () => {
    server.onRequest = (kind, requestID) => void asked.push([kind, toHex(requestID)]);
    for (let i = 0; i < 2; i++) {
      const answer = app.client.ask('clearUnread', { conversation: peer('bob') });
      await pass(20);
      await answer;
    }
    expect(new Set(asked.map(([, id]) => id)).size).toBe(2);
  });

  it('repeats a read, without an id', async () => {
    loseFirst('listConversations');
    const answer = app.client.ask('listConversations', { count: 1 });
    await pass(5_000);
    await expect(answer).resolves.toMatchObject({ complete: true });
    expect(asked.length).toBeGreaterThan(1);
    for (const [, id] of asked) expect(id).toBe('');
  });

  it('never repeats what goes once', async () => {
    expect(methods.ping.kind).toBe('once');
    loseFirst('ping');
    const answer = expect(app.client.ask('ping', {})).rejects.toMatchObject({ code: 6000104 });
    await pass(1_000);
    await answer;
    expect(asked).toEqual([['ping', '']]);
  });

  it('needs a login', async () => {
    app.client.logout();
    await expect(app.client.ask('ping', {})).rejects.toMatchObject({ code: 6000121 });
  });
});

it('a push goes to the slice that takes it, until the login is over', async () => {
  const names: string[] = [];
  app.client.on('userChanged', ({ name }) => void names.push(name));
  server.tell('alice', { case: 'userChanged', value: { user: { userId: 'alice', name: 'Alice' } } });
  await pass(20);
  expect(names).toEqual(['Alice']);
});

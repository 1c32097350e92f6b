import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { toHex } from '../src/hex.js';
import { App, pass, peer } from './fake/app.js';
import { contentOf, FakeServer } from './fake/server.js';

let server: FakeServer;

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
});

afterEach(() => vi.useRealTimers());

function log(a: string, b: string): string[] {
  return server.logs.between(a, b).map((m) => new TextDecoder().decode(contentOf(m).body));
}

describe('sending', () => {
  it('resolves with what the server has made of the message', async () => {
    const app = new App(server);
    await app.login('alice');
    const sent = app.send('bob', 'hello');
    await pass(10);
    expect(await sent).toMatchObject({ seq: 1, messageID: 'alice-bob-1', senderID: 'alice', conversation: peer('bob') });
  });

  it('rejects with the code of a refusal, once', async () => {
    const app = new App(server);
    await app.login('alice');
    server.onSend = () => ({ code: 6000204, message: 'No such user.' });
    const sent = expect(app.send('nobody', 'x')).rejects.toMatchObject({ code: 6000204, message: 'No such user.' });
    await pass(60_000);
    await sent;
    expect(server.sends).toHaveLength(1);
  });

  it('repeats a send whose answer was lost, with the same id and time, and it is stored once', async () => {
    const app = new App(server);
    await app.login('alice');
    server.ackFate = () => 'cut';
    const sent = app.send('bob', 'once');
    await pass(5);
    server.ackFate = () => 0;
    await pass(1000);
    expect(await sent).toMatchObject({ seq: 1 });
    expect(log('alice', 'bob')).toEqual(['once']);
    expect(server.sends).toHaveLength(2);
    const [first, second] = server.sends;
    expect(second?.clientMessageId).toEqual(first?.clientMessageId);
    expect(second?.issuedAtMs).toBe(first?.issuedAtMs);
  });

  it('keeps messages written while the server is away and sends them in order, once', async () => {
    const app = new App(server);
    await app.login('alice');
    server.down = true;
    server.cut();
    await pass(1000);
    const sent = Promise.all(['one', 'two', 'three'].map((text) => app.send('bob', text)));
    await pass(20_000);
    server.down = false;
    await pass(11_000);
    expect((await sent).map((message) => message.seq)).toEqual([1, 2, 3]);
    expect(log('alice', 'bob')).toEqual(['one', 'two', 'three']);
  });

  it('holds what was written later while an earlier message is retried', async () => {
    const app = new App(server);
    await app.login('alice');
    let busy = 3;
    server.onSend = () => (busy-- > 0 ? { code: 6000005, message: 'Busy.', retryable: true } : undefined);
    const first = app.send('bob', 'first');
    await pass(5);
    const later = ['second', 'third'].map((text) => app.send('bob', text));
    await pass(10_000);
    await Promise.all([first, ...later]);
    expect(log('alice', 'bob')).toEqual(['first', 'second', 'third']);
  });

  it('lets another conversation pass one that is being retried', async () => {
    const app = new App(server);
    await app.login('alice');
    server.onSend = (send) => (send.conversation?.id === 'bob' ? { code: 6000102, message: 'No leader.', retryable: true } : undefined);
    void app.send('bob', 'stuck').catch(() => undefined);
    const other = app.send('carol', 'free');
    await pass(10);
    expect(await other).toMatchObject({ seq: 1 });
  });

  it('sends again when no answer comes on a living connection', async () => {
    const app = new App(server);
    await app.login('alice');
    let swallow = 1;
    server.onSend = () => (swallow-- > 0 ? 'swallow' : undefined);
    const sent = app.send('bob', 'x');
    await pass(11_000);
    await sent;
    expect(server.sends).toHaveLength(2);
    expect(app.path).toEqual(['connecting', 'connected']);
  });

  it('fails with a network error when the window has passed', async () => {
    const app = new App(server, { resendWindowMs: 30_000 });
    await app.login('alice');
    server.down = true;
    server.cut();
    await pass(5);
    const sent = expect(app.send('bob', 'late')).rejects.toMatchObject({ code: 6000104 });
    await pass(31_000);
    await sent;
    server.down = false;
    await pass(20_000);
    expect(server.sends).toHaveLength(0);
  });

  it('does not repeat a command, which the server could not tell from a second one', async () => {
    const app = new App(server);
    await app.login('alice');
    server.ackFate = () => 'cut';
    const sent = expect(app.client.send({ conversation: peer('bob'), type: 2, body: new Uint8Array([1]) })).rejects.toMatchObject({ code: 6000104 });
    await pass(1000);
    await sent;
    expect(server.sends).toHaveLength(1);
  });

  it('resolves from history when the answer was lost and the message is seen there first', async () => {
    const app = new App(server);
    await app.login('alice');
    server.post('bob', 'alice', 'before');
    await pass(10);
    server.onSend = (send, conn) => {
      server.logs.append('alice', send as typeof send & { conversation: { id: string } }, server.now());
      server.onSend = () => 'swallow';
      conn.peer.close(1006);
      return 'swallow';
    };
    const sent = app.send('bob', 'mine');
    await pass(1000);
    expect(await sent).toMatchObject({ seq: 2 });
    expect(app.texts).toEqual(['before']);
  });

  it('rejects what is under way when the login ends', async () => {
    const app = new App(server);
    await app.login('alice');
    server.onSend = () => 'swallow';
    const sent = expect(app.send('bob', 'x')).rejects.toMatchObject({ code: 6000104 });
    await pass(5);
    server.tell('alice', { case: 'kicked', value: { reason: 1 } });
    await pass(5);
    await sent;
  });

  it('takes at most a thousand waiting messages', async () => {
    const app = new App(server);
    await app.login('alice');
    server.down = true;
    server.cut();
    await pass(5);
    for (let i = 0; i < 1000; i++) app.send('bob', `m${i}`).catch(() => undefined);
    await expect(app.send('bob', 'one too many')).rejects.toMatchObject({ code: 6000005 });
  });

  it('gives every message an id of its own', async () => {
    const app = new App(server);
    await app.login('alice');
    const sent = Promise.all([app.send('bob', 'same'), app.send('bob', 'same')]);
    await pass(10);
    await sent;
    expect(new Set(server.sends.map((send) => toHex(send.clientMessageId))).size).toBe(2);
    expect(server.sends[0]?.clientMessageId).toHaveLength(16);
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import type { NodeStatus, ShardStatus } from '../src/cluster/status';
import { lagOf, letters, look } from '../src/cluster/status';

afterEach(() => vi.unstubAllGlobals());

function answer(status: number, body: unknown): void {
  vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(new Response(JSON.stringify(body), { status }))));
}

const node = (id: string, state: NodeStatus['state'] = 'active'): NodeStatus => ({
  id, state, alive: true, silent_ms: 0, zone: '', client: '', peer: '', actor: '', replicas: 0, leaders: 0,
});

describe('looking at the cluster', () => {
  it('shows the token and gives what the node answers', async () => {
    answer(200, { cluster: 'c' });
    expect(await look('secret')).toEqual({ status: { cluster: 'c' } });
    expect(vi.mocked(fetch).mock.calls[0]).toMatchObject(['api/cluster', { headers: { Authorization: 'Bearer secret' } }]);
  });

  it('tells a wrong token from a node that is not reached', async () => {
    answer(401, {});
    expect(await look('wrong')).toEqual({ trouble: 'token' });
    answer(503, {});
    expect(await look('secret')).toEqual({ trouble: 'network' });
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no network')));
    expect(await look('secret')).toEqual({ trouble: 'network' });
  });

  it('names nodes by letters that removed ones do not use up', () => {
    const names = letters([node('x'), node('y', 'removed'), node('z')]);
    expect([...names]).toEqual([['x', 'A'], ['z', 'B']]);
    expect([...letters(Array.from({ length: 28 }, (_, i) => node(`n${i}`))).values()].slice(25)).toEqual(['Z', 'A1', 'B1']);
  });

  it('counts what the slowest replica lacks', () => {
    const shard: ShardStatus = { shard: 1, leader: 'x', term: 1, voters: [], learners: [], applied: 9, lag: { y: 3, z: 7 } };
    expect(lagOf(shard)).toBe(7);
    expect(lagOf({ ...shard, lag: {} })).toBe(0);
  });
});

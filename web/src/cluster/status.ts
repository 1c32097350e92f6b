/** What GET /api/cluster answers; docs/operations.md tells the fields. */
export interface ClusterStatus {
  readonly cluster: string;
  readonly node: string;
  readonly time_ms: number;
  readonly shards_total: number;
  readonly meta: { readonly leader: string; readonly term: number };
  readonly nodes: readonly NodeStatus[];
  readonly shards: readonly ShardStatus[];
  readonly moves: readonly MoveStatus[];
}

export interface NodeStatus {
  readonly id: string;
  readonly state: 'active' | 'draining' | 'removed';
  readonly alive: boolean;
  readonly silent_ms: number;
  readonly zone: string;
  readonly client: string;
  readonly peer: string;
  readonly actor: string;
  readonly replicas: number;
  readonly leaders: number;
}

export interface ShardStatus {
  readonly shard: number;
  readonly leader: string;
  readonly term: number;
  readonly voters: readonly string[];
  readonly learners: readonly string[];
  readonly applied: number;
  readonly lag: Readonly<Record<string, number>>;
}

export interface MoveStatus {
  readonly shard: number;
  readonly voters: readonly string[];
  readonly since_ms: number;
}

/** One look at the cluster: what it is like, or why that is not known. */
export type Look = { readonly status: ClusterStatus } | { readonly trouble: 'token' | 'network' };

/** Asks the page's own node. */
export async function look(token: string): Promise<Look> {
  try {
    const answer = await fetch('api/cluster', { headers: { Authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(patienceMilliseconds) });
    if (answer.status === 401) return { trouble: 'token' };
    if (!answer.ok) return { trouble: 'network' };
    return { status: (await answer.json()) as ClusterStatus };
  } catch {
    return { trouble: 'network' };
  }
}

const patienceMilliseconds = 3_000;

/** Nodes go by letters, in the order of their IDs: A, B ... Z, A1 ... */
export function letters(nodes: readonly NodeStatus[]): ReadonlyMap<string, string> {
  const ids = nodes.filter((node) => node.state !== 'removed').map((node) => node.id);
  return new Map(ids.map((id, i) => [id, String.fromCharCode(65 + (i % 26)) + (i < 26 ? '' : String(Math.floor(i / 26)))]));
}

/** The entries that the slowest replica of a shard lacks. */
export function lagOf(shard: ShardStatus): number {
  return Math.max(0, ...Object.values(shard.lag));
}

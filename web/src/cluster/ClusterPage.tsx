import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { formatNumber, t } from '../i18n';
import { tabStorage } from '../storage';
import { Field } from '../view/Field';
import { ShardGrid } from './ShardGrid';
import type { ClusterStatus, Look, NodeStatus } from './status';
import { letters, look } from './status';
import './cluster.css';

/** The page for whoever runs the cluster: its nodes, shards, leaders and moves, live. */
export function ClusterPage(): VNode {
  const [token, setToken] = useState(tabStorage.get(tokenKey) ?? '');
  const [seen, setSeen] = useState<Look>();
  useEffect(() => {
    if (token === '') return;
    return follow(token, (next) => {
      setSeen(next);
      if ('status' in next) tabStorage.set(tokenKey, token);
      else if (next.trouble === 'token') setToken('');
    });
  }, [token]);
  const status = useLast(seen);
  return (
    <main class="cluster">
      <h1>{t('cluster.title')}</h1>
      {token === '' ? (
        <TokenForm refused={seen !== undefined && 'trouble' in seen && seen.trouble === 'token'} onToken={setToken} />
      ) : (
        <>
          <p class="trouble" role="status">
            {seen !== undefined && 'trouble' in seen ? t('cluster.unreachable') : ''}
          </p>
          {status && <Picture status={status} />}
        </>
      )}
    </main>
  );
}

const tokenKey = 'parley.admin';
const everyMilliseconds = 1_000;

/** Looks again and again while the page is visible; gives what ends it. */
function follow(token: string, tell: (seen: Look) => void): () => void {
  let over = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const again = async (): Promise<void> => {
    if (document.visibilityState === 'visible') {
      const seen = await look(token);
      if (over) return;
      tell(seen);
    }
    timer = setTimeout(() => void again(), everyMilliseconds);
  };
  void again();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

/** What was last known stays in sight while the node is not reached. */
function useLast(seen: Look | undefined): ClusterStatus | undefined {
  const [last, setLast] = useState<ClusterStatus>();
  useEffect(() => {
    if (seen && 'status' in seen) setLast(seen.status);
  }, [seen]);
  return last;
}

function TokenForm({ refused, onToken }: { readonly refused: boolean; readonly onToken: (token: string) => void }): VNode {
  const [text, setText] = useState('');
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        onToken(text.trim());
      }}
    >
      <p class="muted">{t('cluster.token.hint')}</p>
      <Field id="admin-token" label={t('cluster.token')} value={text} focused error={refused ? t('cluster.token.wrong') : undefined} onInput={setText} />
      <button type="submit" class="button primary">
        {t('cluster.show')}
      </button>
    </form>
  );
}

function Picture({ status }: { readonly status: ClusterStatus }): VNode {
  const names = letters(status.nodes);
  const leaderless = status.shards.filter((shard) => shard.leader === '').length;
  return (
    <>
      <p class="muted">
        {t('cluster.summary', {
          id: status.cluster,
          shards: formatNumber(status.shards_total),
          leader: names.get(status.meta.leader) ?? t('cluster.nobody'),
        })}
      </p>
      {leaderless > 0 && <p class="trouble">{t('cluster.leaderless', { n: leaderless })}</p>}
      <ul class="nodes" aria-label={t('cluster.nodes')}>
        {status.nodes.map((node) => (
          <Node key={node.id} node={node} name={names.get(node.id) ?? '–'} asked={node.id === status.node} index={[...names.keys()].indexOf(node.id)} />
        ))}
      </ul>
      <h2>{t('cluster.shards')}</h2>
      <ShardGrid status={status} names={names} />
      <h2>{t('cluster.moves')}</h2>
      {status.moves.length === 0 ? (
        <p class="muted">{t('cluster.still')}</p>
      ) : (
        <ul class="moves">
          {status.moves.map((move) => (
            <li key={move.shard}>
              {t('cluster.move', {
                shard: String(move.shard),
                nodes: move.voters.map((id) => names.get(id) ?? '?').join(' '),
                n: Math.max(0, Math.round((status.time_ms - move.since_ms) / 1000)),
              })}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

interface NodeProps {
  readonly node: NodeStatus;
  readonly name: string;
  readonly asked: boolean;
  readonly index: number;
}

function Node({ node, name, asked, index }: NodeProps): VNode {
  const silent = Math.round(node.silent_ms / 1000);
  const state = node.state === 'active' ? (node.alive ? t('cluster.alive') : t('cluster.silent', { n: silent })) : t(`cluster.${node.state}`);
  return (
    <li class="node" data-state={node.state} data-alive={node.alive}>
      <p class="node-name">
        <span class="chip" data-node={index % 8} aria-hidden="true">
          {name}
        </span>
        <strong>{t('cluster.node', { name })}</strong>
        <span class="node-state">{state}</span>
      </p>
      <dl>
        <dt>{t('cluster.leads')}</dt>
        <dd>{formatNumber(node.leaders)}</dd>
        <dt>{t('cluster.holds')}</dt>
        <dd>{formatNumber(node.replicas)}</dd>
        {node.zone !== '' && <dt>{t('cluster.zone')}</dt>}
        {node.zone !== '' && <dd>{node.zone}</dd>}
        {node.client !== '' && <dt>{t('cluster.client')}</dt>}
        {node.client !== '' && (
          <dd>
            <a href={node.client}>{node.client.replace(/^https?:\/\//, '')}</a>
          </dd>
        )}
        <dt>ID</dt>
        <dd title={node.id}>
          {node.id.slice(0, 8)}
          {asked ? ` · ${t('cluster.asked')}` : ''}
        </dd>
      </dl>
    </li>
  );
}

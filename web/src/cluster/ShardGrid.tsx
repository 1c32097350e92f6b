import type { VNode } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { formatNumber, t } from '../i18n';
import type { ClusterStatus, ShardStatus } from './status';
import { lagOf } from './status';

interface Props {
  readonly status: ClusterStatus;
  readonly names: ReadonlyMap<string, string>;
}

/**
 * All shards at a glance, each with the letter and colour of its leader. One
 * of them is chosen, by pointer or arrow keys, and told about below.
 */
export function ShardGrid({ status, names }: Props): VNode {
  const [chosen, choose] = useState(0);
  const grid = useRef<HTMLUListElement>(null);
  const order = [...names.keys()];
  const moving = new Set(status.moves.map((move) => move.shard));
  const step = (event: KeyboardEvent): void => {
    const by = stepOf(event.key, grid.current);
    if (by === undefined) return;
    event.preventDefault();
    const next = Math.min(status.shards.length - 1, Math.max(0, chosen + by));
    choose(next);
    grid.current?.querySelectorAll<HTMLButtonElement>('button')[next]?.focus();
  };
  const shard = status.shards[chosen];
  return (
    <>
      <ul class="shards" ref={grid} aria-label={t('cluster.shards')} onKeyDown={step}>
        {status.shards.map((one, i) => (
          <li key={one.shard}>
            <button
              type="button"
              class="shard"
              data-node={one.leader === '' ? 'none' : order.indexOf(one.leader) % 8}
              data-moving={moving.has(one.shard)}
              data-lagging={lagOf(one) > farBehind}
              tabIndex={i === chosen ? 0 : -1}
              aria-pressed={i === chosen}
              aria-label={t('cluster.shard', { shard: String(one.shard), leader: names.get(one.leader) ?? t('cluster.nobody') })}
              onClick={() => choose(i)}
              onMouseEnter={() => choose(i)}
            >
              {names.get(one.leader) ?? '!'}
            </button>
          </li>
        ))}
      </ul>
      {shard && <About shard={shard} names={names} />}
    </>
  );
}

const farBehind = 1_000;

/** By how many shards an arrow key goes on; up and down by a row, as wide as it is shown. */
function stepOf(key: string, grid: HTMLElement | null): number | undefined {
  const columns = grid ? getComputedStyle(grid).gridTemplateColumns.split(' ').length : 1;
  return { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
}

function About({ shard, names }: { readonly shard: ShardStatus; readonly names: ReadonlyMap<string, string> }): VNode {
  const named = (ids: readonly string[]): string => ids.map((id) => names.get(id) ?? '?').sort().join(' ') || '–';
  return (
    <p class="about" role="status">
      {t('cluster.about', {
        shard: String(shard.shard),
        leader: names.get(shard.leader) ?? t('cluster.nobody'),
        term: formatNumber(shard.term),
        voters: named(shard.voters),
        learners: named(shard.learners),
        applied: formatNumber(shard.applied),
        lag: formatNumber(lagOf(shard)),
      })}
    </p>
  );
}

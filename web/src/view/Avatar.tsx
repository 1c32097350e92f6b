import type { VNode } from 'preact';
import { hueOf, initials } from '../text/graphemes';
import { useStore } from './context';

interface Props {
  readonly id: string;
  readonly name: string;
  /** Pixels; 40 when not said. */
  readonly size?: number;
}

/** The picture of a user, or until it has come the initials on a colour that belongs to the ID. Decorative: the name stands beside it. */
export function Avatar({ id, name, size = 40 }: Props): VNode {
  const style = { '--hue': hueOf(id), '--size': `${size}px` };
  const picture = useStore().avatarOf(id);
  return (
    <span class="avatar" style={style} aria-hidden="true">
      {initials(name)}
      {picture !== '' && (
        <img
          key={picture}
          src={picture}
          alt=""
          width={size}
          height={size}
          referrerpolicy="no-referrer"
          onError={(event) => (event.currentTarget.hidden = true)}
        />
      )}
    </span>
  );
}

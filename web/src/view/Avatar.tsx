import type { VNode } from 'preact';
import { hueOf, initials } from '../text/graphemes';

interface Props {
  readonly id: string;
  readonly name: string;
  /** Pixels; 40 when not said. */
  readonly size?: number;
}

/** The initials of a name on a colour that belongs to the ID. Decorative: the name stands beside it. */
export function Avatar({ id, name, size = 40 }: Props): VNode {
  const style = { '--hue': hueOf(id), '--size': `${size}px` };
  return (
    <span class="avatar" style={style} aria-hidden="true">
      {initials(name)}
    </span>
  );
}

import type { VNode } from 'preact';

// Strokes on a 24 px grid.
const shapes = {
  back: 'M15 5l-7 7 7 7',
  close: 'M6 6l12 12M18 6L6 18',
  compose: 'M12 20h8M4 20l1-4.5L15.5 5a2.1 2.1 0 0 1 3 3L8.5 18.5z',
  settings: 'M4 7h9M19 7h1M4 17h1M11 17h9M13 7a3 3 0 1 0 6 0a3 3 0 1 0-6 0M5 17a3 3 0 1 0 6 0a3 3 0 1 0-6 0',
  info: 'M12 11v5M12 7.6v.4M3.5 12a8.5 8.5 0 1 0 17 0a8.5 8.5 0 1 0-17 0',
  send: 'M5 12l-1-8 17 8-17 8zM5 12h8',
  window: 'M13 5h6v6M19 5l-8 8M17 14v5H5V7h5',
  down: 'M6 9.5l6 6 6-6',
  sent: 'M5 12.5l4.5 4.5L19 7.5',
  sending: 'M12 7.5V12l3 2M3.5 12a8.5 8.5 0 1 0 17 0a8.5 8.5 0 1 0-17 0',
  failed: 'M12 7.5v5.5M12 16v.4M3.5 12a8.5 8.5 0 1 0 17 0a8.5 8.5 0 1 0-17 0',
} as const;

export type IconName = keyof typeof shapes;

/** A decorative line icon; the element around it carries the name. */
export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }): VNode {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={shapes[name]} />
    </svg>
  );
}

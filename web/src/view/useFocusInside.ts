import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

/**
 * Moves the focus to `target` when something opens, and back to where it was
 * when it closes, unless the user has put it elsewhere meanwhile.
 */
export function useFocusInside(container: RefObject<HTMLElement | null>, target: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const before = document.activeElement;
    const element = container.current;
    target.current?.focus();
    return () => {
      // With the element that had it the focus falls to the body.
      const now = document.activeElement;
      if (now !== document.body && !element?.contains(now)) return;
      // On a phone what had the focus is hidden until this has closed.
      requestAnimationFrame(() => before instanceof HTMLElement && before.focus());
    };
  }, []);
}

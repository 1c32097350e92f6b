import type { ComponentChildren, VNode } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { closeDialog } from '../route';
import { Icon } from './Icon';

interface Props {
  readonly title: string;
  readonly closeLabel: string;
  readonly children: ComponentChildren;
}

/**
 * A modal dialog: the browser keeps the focus inside and gives it back; Escape,
 * a click outside and the browser's back button close it.
 */
export function Dialog({ title, closeLabel, children }: Props): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  // Before the effects of the content, so that a field in it may take the focus.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      class="dialog"
      ref={dialog}
      aria-labelledby="dialog-title"
      onClose={closeDialog}
      // The second press of a double click belongs to what opened the dialog.
      onMouseDown={(event) => event.detail < 2 && event.target === dialog.current && closeDialog()}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id="dialog-title">{title}</h2>
          <button type="button" class="icon-button" aria-label={closeLabel} title={closeLabel} onClick={closeDialog}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

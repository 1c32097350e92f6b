import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { useStore } from './context';
import { Icon } from './Icon';

/** Where one writes: grows to eight lines, keeps a draft, and sends with Enter where there is a keyboard. */
export function Composer({ id, name }: { readonly id: string; readonly name: string }): VNode {
  const store = useStore();
  const area = useRef<HTMLTextAreaElement>(null);
  const text = store.drafts.get(id);
  const closed = store.banner.over.value;
  const offline = !closed && store.banner.trouble.value !== undefined;
  const blank = text.trim() === '';
  // There Enter is the only way to a new line, and the button is under the thumb.
  const onTouch = matchMedia('(pointer: coarse)').matches;

  useLayoutEffect(() => {
    if (area.current) fitHeight(area.current);
  }, [text]);
  useEffect(() => {
    if (!onTouch) area.current?.focus();
  }, [id]);

  const send = (): void => {
    if (blank || closed) return;
    store.send(id, text);
    area.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (onTouch || event.key !== 'Enter' || event.shiftKey || isComposing(event)) return;
    event.preventDefault();
    send();
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {(closed || offline) && <p class="composer-note">{closed ? t('composer.closed') : t('composer.offline')}</p>}
      <div class="composer-row">
        <textarea
          ref={area}
          rows={1}
          aria-label={t('composer.label', { name })}
          aria-describedby="composer-hint"
          placeholder={t('composer.placeholder')}
          disabled={closed}
          dir="auto"
          enterkeyhint={onTouch ? 'enter' : 'send'}
          value={text}
          onInput={(event) => store.drafts.set(id, event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <button type="submit" class="send" aria-label={t('composer.send')} title={t('composer.send')} disabled={blank || closed}>
          <Icon name="send" />
        </button>
      </div>
      <p class="visually-hidden" id="composer-hint">
        {onTouch ? t('composer.hint.touch') : t('composer.hint')}
      </p>
    </form>
  );
}

/** True for the Enter that accepts an input method's proposal; Safari tells it by the key code 229 only. */
function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}

/** Makes the area as high as its text; the style sheet ends the growth at eight lines. */
function fitHeight(area: HTMLTextAreaElement): void {
  area.style.height = 'auto';
  const borders = area.offsetHeight - area.clientHeight;
  area.style.height = `${area.scrollHeight + borders}px`;
}

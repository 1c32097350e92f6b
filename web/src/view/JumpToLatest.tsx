import type { VNode } from 'preact';
import { t } from '../i18n';
import { Icon } from './Icon';

interface Props {
  readonly unseen: number;
  readonly onJump: () => void;
}

/** The way back to the newest message, with the number of those that came in meanwhile. */
export function JumpToLatest({ unseen, onJump }: Props): VNode {
  const label = unseen > 0 ? t('chat.jump.new', { n: unseen }) : t('chat.jump');
  return (
    <button type="button" class="jump" aria-label={label} title={t('chat.jump')} onClick={onJump}>
      {unseen > 0 && <span>{label}</span>}
      <Icon name="down" />
    </button>
  );
}

import { t } from '../i18n';
import { phraseOf } from '../store/failure';

/** What a failure code means, in the language in use. */
export function reason(code: number): string {
  const key = phraseOf(code);
  return key === undefined ? t('error.unknown', { code: String(code) }) : t(key);
}

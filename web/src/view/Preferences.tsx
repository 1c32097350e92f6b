import type { VNode } from 'preact';
import { locale, locales, t } from '../i18n';
import { chooseLocale, chooseTheme, theme, themes } from '../settings';
import { Choices } from './Choices';

/** The switches of language and appearance. */
export function Preferences(): VNode {
  return (
    <div class="preferences">
      <Choices
        name="locale"
        label={t('language.label')}
        options={locales}
        chosen={locale.value}
        caption={(one) => t(`language.${one}`)}
        onChoose={chooseLocale}
      />
      <Choices
        name="theme"
        label={t('theme.label')}
        options={themes}
        chosen={theme.value}
        caption={(one) => t(`theme.${one}`)}
        onChoose={chooseTheme}
      />
    </div>
  );
}

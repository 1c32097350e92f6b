import { effect, signal } from '@preact/signals';
import { locale, locales, pickLocale } from './i18n';
import type { Locale } from './i18n';

export type Theme = 'system' | 'light' | 'dark';
export const themes: readonly Theme[] = ['system', 'light', 'dark'];

/** Light or dark; `system` follows the device. */
export const theme = signal<Theme>('system');

const themeKey = 'parley.theme';
const localeKey = 'parley.locale';

/** Reads what was chosen on this device, and keeps the document in step from now on. */
export function startSettings(): void {
  const keptTheme = localStorage.getItem(themeKey);
  theme.value = themes.find((one) => one === keptTheme) ?? 'system';
  const keptLocale = localStorage.getItem(localeKey);
  locale.value = locales.find((one) => one === keptLocale) ?? pickLocale(navigator.languages);
  effect(() => {
    document.documentElement.dataset['theme'] = theme.value;
  });
  effect(() => {
    document.documentElement.lang = locale.value;
  });
}

export function chooseTheme(chosen: Theme): void {
  theme.value = chosen;
  localStorage.setItem(themeKey, chosen);
}

export function chooseLocale(chosen: Locale): void {
  locale.value = chosen;
  localStorage.setItem(localeKey, chosen);
}

import { effect, signal } from '@preact/signals';
import { locale, locales, pickLocale } from './i18n';
import type { Locale } from './i18n';
import { deviceStorage } from './storage';

export type Theme = 'system' | 'light' | 'dark';
export const themes: readonly Theme[] = ['system', 'light', 'dark'];

/** Light or dark; `system` follows the device. */
export const theme = signal<Theme>('system');

// index.html reads this one before the first paint.
const themeKey = 'parley.theme';
const localeKey = 'parley.locale';

/** Reads what was chosen on this device, and keeps the document in step from now on. */
export function startSettings(): void {
  const keptTheme = deviceStorage.get(themeKey);
  theme.value = themes.find((one) => one === keptTheme) ?? 'system';
  const keptLocale = deviceStorage.get(localeKey);
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
  deviceStorage.set(themeKey, chosen);
}

export function chooseLocale(chosen: Locale): void {
  locale.value = chosen;
  deviceStorage.set(localeKey, chosen);
}

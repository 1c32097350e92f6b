import { computed, signal } from '@preact/signals';
import { isolate } from '../text/bidi';
import type { Args, Dictionary, Key } from './dictionary';
import { en } from './en';
import { zhCN } from './zh-CN';

export type { Key, PlainKey } from './dictionary';

/** The languages that the page speaks. */
export type Locale = 'en' | 'zh-CN';

export const dictionaries: Readonly<Record<Locale, Dictionary>> = { en, 'zh-CN': zhCN };
export const locales: readonly Locale[] = ['en', 'zh-CN'];

/** The language in use. Written by the settings only. */
export const locale = signal<Locale>('en');

/** The first of the wanted languages that the page speaks, else English. */
export function pickLocale(wanted: readonly string[]): Locale {
  for (const tag of wanted) {
    const language = tag.toLowerCase().split('-')[0];
    if (language === 'zh') return 'zh-CN';
    if (language === 'en') return 'en';
  }
  return 'en';
}

const plurals = computed(() => new Intl.PluralRules(locale.value));
const numbers = computed(() => new Intl.NumberFormat(locale.value));

/** The phrase in the language in use. Reading it subscribes the component to a change of language. */
export function t<K extends Key>(key: K, ...args: Args<K>): string {
  const phrase = dictionaries[locale.value][key];
  const params = (args[0] ?? {}) as Readonly<Record<string, string | number>>;
  if (typeof phrase === 'string') return fill(phrase, params);
  const form = plurals.value.select(Number(params['n']));
  return fill((form === 'one' ? phrase.one : undefined) ?? phrase.other, params);
}

/** A number as the language in use writes it. */
export function formatNumber(value: number): string {
  return numbers.value.format(value);
}

function fill(phrase: string, params: Readonly<Record<string, string | number>>): string {
  return phrase.replace(/\{(\w+)\}/g, (mark, name: string) => {
    const value = params[name];
    if (value === undefined) return mark;
    return typeof value === 'number' ? formatNumber(value) : isolate(value);
  });
}

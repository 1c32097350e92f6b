import { afterEach, describe, expect, test } from 'vitest';
import { dictionaries, locale, pickLocale, t } from '../src/i18n';
import type { Key } from '../src/i18n';
import { clock, dayAround, dayCaption, dayNumber, listTime } from '../src/i18n/dates';

afterEach(() => {
  locale.value = 'en';
});

const keys = Object.keys(dictionaries.en) as Key[];
const forms = (phrase: string | object): string[] => (typeof phrase === 'string' ? [phrase] : Object.values(phrase));
const params = (phrase: string): string[] => [...phrase.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').sort();

describe('dictionaries', () => {
  test('both languages have the same keys', () => {
    expect(Object.keys(dictionaries['zh-CN']).sort()).toEqual([...keys].sort());
  });

  test.each(keys)('%s has the same parameters in both languages, and no empty form', (key) => {
    const english = params(forms(dictionaries.en[key])[0] ?? '');
    for (const phrase of [...forms(dictionaries.en[key]), ...forms(dictionaries['zh-CN'][key])]) {
      expect(phrase).not.toBe('');
      expect(params(phrase)).toEqual(english);
    }
  });

  test('every English plural has a form for one', () => {
    for (const key of keys) {
      const phrase = dictionaries.en[key];
      if (typeof phrase !== 'string') expect(phrase).toHaveProperty('one');
    }
  });
});

describe('t', () => {
  test('fills parameters and chooses the plural form', () => {
    expect(t('list.unread', { n: 1 })).toBe('1 unread message');
    expect(t('list.unread', { n: 1234 })).toBe('1,234 unread messages');
    locale.value = 'zh-CN';
    expect(t('list.unread', { n: 1 })).toBe('1 条未读消息');
  });

  test('keeps a name apart from the sentence around it', () => {
    expect(t('chat.start', { name: 'Bob \u202E(evil)' })).toBe('This is the beginning of your conversation with Bob (evil).');
    expect(t('chat.says', { name: 'דנה' })).toBe('\u2068דנה\u2069 says:');
  });

  test('leaves signs in parameters alone', () => {
    expect(t('list.you', { text: '$& {text} <b>' })).toBe('You: $& {text} <b>');
  });
});

describe('pickLocale', () => {
  test.each([
    [['zh-TW', 'en'], 'zh-CN'],
    [['zh'], 'zh-CN'],
    [['de-DE', 'en-GB', 'zh-CN'], 'en'],
    [['fr'], 'en'],
    [[], 'en'],
  ])('%j gives %s', (wanted, expected) => {
    expect(pickLocale(wanted)).toBe(expected);
  });
});

describe('dates', () => {
  const now = new Date(2026, 5, 15, 12, 0).getTime();
  const hour = 3_600_000;

  test('the list shows the clock today, then yesterday, the weekday, the date, and the year when it is another', () => {
    expect(listTime(now - hour, now)).toBe(clock(now - hour));
    expect(listTime(now - 24 * hour, now)).toBe('Yesterday');
    expect(listTime(now - 3 * 24 * hour, now)).toBe('Fri');
    expect(listTime(now - 30 * 24 * hour, now)).toBe('May 16');
    expect(listTime(new Date(2024, 0, 2).getTime(), now)).toBe('1/2/2024');
  });

  test('day captions follow the language', () => {
    expect(dayCaption(now, now)).toBe('Today');
    expect(dayCaption(now - 3 * 24 * hour, now)).toBe('Friday, June 12');
    locale.value = 'zh-CN';
    expect(dayCaption(now - 24 * hour, now)).toBe('昨天');
    expect(dayCaption(now - 3 * 24 * hour, now)).toContain('6月12日');
  });

  test('a day lasts from midnight to midnight, also where the clock is put forward', () => {
    for (const time of [new Date(2026, 2, 29, 12).getTime(), new Date(2026, 9, 25, 0, 30).getTime(), 0]) {
      const { start, end } = dayAround(time);
      expect(start).toBeLessThanOrEqual(time);
      expect(end).toBeGreaterThan(time);
      expect([dayNumber(start), dayNumber(end - 1), dayNumber(end)]).toEqual([dayNumber(time), dayNumber(time), dayNumber(time) + 1]);
    }
  });

  test('a day begins at local midnight', () => {
    const midnight = new Date(2026, 2, 29, 0, 0).getTime();
    expect(dayNumber(midnight)).toBe(dayNumber(midnight - 1) + 1);
  });
});

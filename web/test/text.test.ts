import { describe, expect, test } from 'vitest';
import { hueOf, initials, isEmojiOnly } from '../src/text/graphemes';
import { isolate, shownName, withoutControls } from '../src/text/bidi';
import { splitLinks } from '../src/text/links';
import { isUserID } from '../src/text/userid';

describe('splitLinks', () => {
  const links = (text: string): string[] =>
    splitLinks(text)
      .filter((piece) => piece.href !== undefined)
      .map((piece) => piece.text);

  test.each<[string, string[]]>([
    ['no link here', []],
    ['see https://example.org/a?b=c#d, then', ['https://example.org/a?b=c#d']],
    ['(https://en.wikipedia.org/wiki/Go_(game))', ['https://en.wikipedia.org/wiki/Go_(game)']],
    ['看 https://example.org/路径。好', ['https://example.org/路径']],
    ['www.example.org and http://localhost:8080/x', ['www.example.org', 'http://localhost:8080/x']],
    ['javascript:alert(1) data:text/html,x ftp://example.org', []],
    ['mail@www.example.org', []],
    ['https://', []],
    ['http://nodots', []],
    ['<a href="https://example.org">', ['https://example.org']],
    ['https://a.example https://b.example!', ['https://a.example', 'https://b.example']],
  ])('%s', (text, expected) => {
    expect(links(text)).toEqual(expected);
    expect(splitLinks(text).map((piece) => piece.text).join('')).toBe(text);
  });

  test('an address without a scheme leads to https', () => {
    expect(splitLinks('www.example.org')[0]?.href).toBe('https://www.example.org/');
  });

  test('a long text without links stays one piece', () => {
    const text = 'x.'.repeat(16_000);
    expect(splitLinks(text)).toEqual([{ text }]);
  });
});

describe('isEmojiOnly', () => {
  test.each(['😀', '👩‍👩‍👧', '🇨🇳🇫🇷', '❤\uFE0F', '✌🏽', '👍🏽 🎉', ' 🙂 ', '1\uFE0F\u20E3'])('%s is', (text) => {
    expect(isEmojiOnly(text)).toBe(true);
  });
  // Text for the fonts, so it must stay in its bubble.
  test.each(['❤', '☺', '✔', '©', '™', '✌', '😀\uFE0E'])('%j is not: it is drawn as text', (text) => {
    expect(isEmojiOnly(text)).toBe(false);
  });
  test.each(['', 'a', '1', '#', '😀😀😀😀', '😀!', '哈'])('%j is not', (text) => {
    expect(isEmojiOnly(text)).toBe(false);
  });
});

describe('texts of two directions', () => {
  test('a name loses the signs that turn what stands beside it, and nothing else', () => {
    expect(withoutControls('Bob \u202E(evil)\u2069')).toBe('Bob (evil)');
    expect(withoutControls('עברית العربية 李雷 👩‍👩‍👧 a\u200Fb')).toBe('עברית العربية 李雷 👩‍👩‍👧 a\u200Fb');
  });

  test.each(['', ' ', '\u200F', '\u202E\u2066\u200F', '\u200B\u2060\uFEFF', '\u3164', '\u2800 \t\n', '\u0301\uFE0F'])('of the name %j nothing can be seen: the ID stands for it', (name) => {
    expect(shownName(name, 'bob')).toBe('bob');
  });

  test.each(['Bob', '李', '❤️', '1', '.', 'e\u0301', 'नि', '👩‍🚀'])('the name %s is shown', (name) => {
    expect(shownName(`\u202E${name}`, 'bob')).toBe(name);
  });

  test('what runs from right to left is isolated inside a sentence, and cannot end its isolation', () => {
    expect(isolate('Alice')).toBe('Alice');
    expect(isolate('\u2069\u202Eשלום\u2069')).toBe('\u2068שלום\u2069');
    expect(isolate('𐤀𐤁')).toBe('\u2068𐤀𐤁\u2069');
  });
});

describe('initials and hue', () => {
  test.each([
    ['Alice', 'A'],
    ['ada lovelace', 'AL'],
    ['李雷', '李'],
    ['user_7', 'U7'],
    ['  ', '?'],
    ['👩‍👩‍👧 team', '👩‍👩‍👧T'],
  ])('%j gives %s', (name, expected) => {
    expect(initials(name)).toBe(expected);
  });

  test('a hue is stable and on the circle', () => {
    expect(hueOf('alice')).toBe(hueOf('alice'));
    expect(hueOf('alice')).not.toBe(hueOf('bob'));
    for (const id of ['', 'a', '李雷', 'z'.repeat(32)]) {
      expect(hueOf(id)).toBeGreaterThanOrEqual(0);
      expect(hueOf(id)).toBeLessThan(360);
    }
  });
});

describe('isUserID', () => {
  test.each(['a', 'A-1_b@c.d', '#$%&()+:;<=>?[]^{}|~!', 'x'.repeat(32)])('%s is accepted', (id) => {
    expect(isUserID(id)).toBe(true);
  });
  test.each(['', ' a', 'a b', 'a/b', '李雷', 'x'.repeat(33), 'a,b', "a'b"])('%j is refused', (id) => {
    expect(isUserID(id)).toBe(false);
  });
});

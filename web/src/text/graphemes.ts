const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
// What fonts draw as a picture. Many pictographs, such as ❤ and ©, are text unless a variation selector or a skin tone follows.
const pictograph = /^(?:\p{Emoji_Presentation}(?!\uFE0E)|\p{Regional_Indicator}{2}|\p{Extended_Pictographic}(?:\uFE0F|\p{Emoji_Modifier})|[\d#*]\uFE0F\u20E3)/u;

/** True for a message of one to three emoji and nothing else: it is shown larger. */
export function isEmojiOnly(text: string): boolean {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed.length > 60) return false;
  let seen = 0;
  for (const { segment } of segments.segment(trimmed)) {
    if (segment === ' ') continue;
    if (!pictograph.test(segment) || ++seen > 3) return false;
  }
  return true;
}

/** One or two letters that stand for a name: of Latin names the first of two words, of CJK names the first sign. */
export function initials(name: string): string {
  const words = name.trim().split(/[\s._-]+/u).filter(Boolean);
  const first = words.slice(0, 2).map(firstGrapheme);
  if (first.length === 0) return '?';
  return /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}/u.test(first[0] ?? '')
    ? (first[0] ?? '?')
    : first.join('').toLocaleUpperCase();
}

function firstGrapheme(word: string): string {
  for (const { segment } of segments.segment(word)) return segment;
  return '';
}

/** A hue in degrees that belongs to an ID for good (FNV-1a over its UTF-16 units). */
export function hueOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) {
    hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0) % 360;
}

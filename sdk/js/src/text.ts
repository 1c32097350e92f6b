/**
 * The text as UTF-8 can carry it: half of a surrogate pair, left by cutting a
 * text in the middle of a character, becomes U+FFFD. So the sender sees what
 * the others see.
 */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

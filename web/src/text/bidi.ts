// Explicit embeddings, overrides and isolates: invisible signs by which a text
// can turn the direction of what stands beside it.
const controls = /[\u202A-\u202E\u2066-\u2069]/g;
// Nothing to see: spaces, signs of format, marks without a letter, fillers.
const invisible = /^[\s\p{Cc}\p{Cf}\p{M}\u115F\u1160\u2800\u3164\uFFA0]*$/u;
const rightToLeft = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;

/** A text of one line, such as a name, without the signs that would turn what stands beside it. */
export function withoutControls(text: string): string {
  return text.replace(controls, '');
}

/** What stands for a user: the name without such signs, or the ID when there is nothing of it to see. */
export function shownName(name: string, userID: string): string {
  const plain = withoutControls(name);
  return invisible.test(plain) ? userID : plain;
}

/** A text that may stand inside a sentence of another direction without turning it. */
export function isolate(text: string): string {
  const plain = withoutControls(text);
  return rightToLeft.test(plain) ? `\u2068${plain}\u2069` : plain;
}

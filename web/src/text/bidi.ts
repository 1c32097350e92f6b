// Explicit embeddings, overrides and isolates: invisible signs by which a text
// can turn the direction of what stands beside it.
const controls = /[\u202A-\u202E\u2066-\u2069]/g;
const rightToLeft = /[\u0590-\u08FF\uFB1D-\uFDFF\uFE70-\uFEFC\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u;

/** A text of one line, such as a name, without the signs that would turn what stands beside it. */
export function withoutControls(text: string): string {
  return text.replace(controls, '');
}

/** A text that may stand inside a sentence of another direction without turning it. */
export function isolate(text: string): string {
  const plain = withoutControls(text);
  return rightToLeft.test(plain) ? `\u2068${plain}\u2069` : plain;
}

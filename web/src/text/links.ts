/** A piece of a message: plain text, or a link with where it leads. */
export type Piece = { readonly text: string; readonly href?: string };

// A scheme or www., then everything up to white space, quotes, angle brackets
// or CJK punctuation, which never belongs to an address as people type it.
const candidate = /(?:https?:\/\/|www\.)[^\s<>"'`，。；：！？、（）【】《》「」『』“”‘’…]+/giu;

/**
 * Splits a text into plain pieces and links. The pieces put together are the
 * text again, so nothing is lost when they are shown as text nodes. Only http
 * and https become links.
 */
export function splitLinks(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(candidate)) {
    if (/[\w@.-]/.test(text[match.index - 1] ?? ' ')) continue;
    const label = trimEnd(match[0]);
    const href = address(label);
    if (!href) continue;
    if (match.index > from) pieces.push({ text: text.slice(from, match.index) });
    pieces.push({ text: label, href });
    from = match.index + label.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from) });
  return pieces;
}

/** Takes off punctuation that ends the sentence rather than the address; a closing bracket stays when its opening one is inside. */
function trimEnd(label: string): string {
  for (;;) {
    const last = label.at(-1);
    if (last === undefined) return label;
    const opening = { ')': '(', ']': '[', '}': '{' }[last];
    const dangling = opening !== undefined && count(label, last) > count(label, opening);
    if (!dangling && !/[.,;:!?*_~]/.test(last)) return label;
    label = label.slice(0, -1);
  }
}

function count(text: string, sign: string): number {
  return text.split(sign).length - 1;
}

function address(label: string): string | undefined {
  try {
    const url = new URL(/^www\./i.test(label) ? `https://${label}` : label);
    return url.hostname.includes('.') || url.hostname === 'localhost' || url.hostname.startsWith('[') ? url.href : undefined;
  } catch {
    return undefined;
  }
}

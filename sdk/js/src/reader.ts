import { toHex } from './hex.js';

// Text stays what it is: a leading U+FEFF belongs to it.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads the pieces of proto3's binary encoding. Throws RangeError or TypeError for bytes that are none. */
export class Reader {
  private at = 0;

  constructor(private readonly data: Uint8Array) {}

  /** Whether anything is left. */
  get more(): boolean {
    return this.at < this.data.length;
  }

  /** A number below 2^32. */
  uint(): number {
    const value = this.long();
    if (value > 0xffffffff) throw new RangeError('a number above 2^32 - 1');
    return value;
  }

  /** A number below 2^53. */
  long(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.data[this.at++];
      if (byte === undefined || scale > 2 ** 63) throw new RangeError('a number without an end');
      value += (byte & 127) * scale;
      if (byte >= 128) continue;
      if (value > Number.MAX_SAFE_INTEGER) throw new RangeError('a number above 2^53 - 1');
      return value;
    }
  }

  /** A text. */
  text(): string {
    return decoder.decode(this.span());
  }

  /** Bytes, as a copy. */
  chunk(): Uint8Array {
    return this.span().slice();
  }

  /** Bytes as hexadecimal digits. */
  hex(): string {
    return toHex(this.span());
  }

  /** A message within this one. */
  nested(): Reader {
    return new Reader(this.span());
  }

  /** Skips the value of a field that is not known. */
  skip(tag: number): void {
    const wireType = tag & 7;
    if (wireType === 0) this.skipVarint();
    else if (wireType === 2) this.span();
    else if (wireType === 1) this.take(8);
    else if (wireType === 5) this.take(4);
    else throw new RangeError('a field of no known form');
  }

  private skipVarint(): void {
    for (let n = 0; n < 10; n++) if ((this.data[this.at++] ?? 0) < 128) return this.take(0);
    throw new RangeError('a number without an end');
  }

  private span(): Uint8Array {
    const length = this.uint();
    this.take(length);
    return this.data.subarray(this.at - length, this.at);
  }

  private take(length: number): void {
    this.at += length;
    if (this.at > this.data.length) throw new RangeError('the message is cut off');
  }
}

import { fromHex } from './hex.js';

const encoder = new TextEncoder();

/** Writes the pieces of proto3's binary encoding. Throws RangeError for numbers that do not fit. */
export class Writer {
  private buffer = new Uint8Array(256);
  private at = 0;

  /** What was written. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.buffer.slice(0, this.at);
  }

  /** A number below 2^32. */
  uint(value: number): void {
    this.varint(value, 0xffffffff);
  }

  /** A number below 2^53. */
  long(value: number): void {
    this.varint(value, Number.MAX_SAFE_INTEGER);
  }

  /** A text; what is no text throws TypeError. */
  text(value: string): void {
    if (typeof value !== 'string') throw new TypeError(`${String(value)} is not a text`);
    this.chunk(encoder.encode(value));
  }

  /** Bytes. */
  chunk(value: Uint8Array): void {
    this.uint(value.length);
    this.room(value.length).set(value, this.at);
    this.at += value.length;
  }

  /** Bytes given as hexadecimal digits. */
  hex(digits: string): void {
    this.chunk(fromHex(digits));
  }

  /** A message within this one: its length is known when it was written. */
  nested(write: () => void): void {
    const outer = { buffer: this.buffer, at: this.at };
    this.buffer = new Uint8Array(256);
    this.at = 0;
    write();
    const inner = this.buffer.subarray(0, this.at);
    this.buffer = outer.buffer;
    this.at = outer.at;
    this.chunk(inner);
  }

  private varint(value: number, most: number): void {
    if (!Number.isInteger(value) || value < 0 || value > most) throw new RangeError(`${value} is not a whole number from 0 to ${most}`);
    const buffer = this.room(10);
    let left = value;
    for (; left > 127; left = Math.floor(left / 128)) buffer[this.at++] = (left % 128) | 128;
    buffer[this.at++] = left;
  }

  private room(length: number): Uint8Array {
    if (this.at + length > this.buffer.length) {
      const larger = new Uint8Array(2 * (this.at + length));
      larger.set(this.buffer);
      this.buffer = larger;
    }
    return this.buffer;
  }
}

import type { DescField, DescMessage, Message } from '@bufbuild/protobuf';
import { create, equals, fromBinary, ScalarType, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { decodeFrame } from '../src/codec.js';
import type { Messages } from '../src/gen/wire/wire.js';
import { enums, table } from '../src/gen/wire/wire.js';
import type { Content } from '../src/gen/wire/wire_pb.js';
import { ContentSchema, files } from '../src/gen/wire/wire_pb.js';
import { Codec } from '../src/table.js';

// The table against protobuf-es: what one writes the other reads.

const codec = new Codec<Messages>(table, enums);
const messages = files.flatMap((file) => file.messages);

class Random {
  constructor(private state: number) {}

  below(n: number): number {
    this.state = (this.state * 1103515245 + 12345) % 2147483648;
    return Math.floor((this.state / 2147483648) * n);
  }

  of<T>(...values: T[]): T {
    return values[this.below(values.length)] as T;
  }

  bytes(n: number): Uint8Array {
    return Uint8Array.from({ length: n }, () => this.below(256));
  }
}

const TEXTS = ['', 'a', 'héllo', '\ufeffbom', '你好 👋', 'x'.repeat(300), '\u0000'];

function scalar(random: Random, type: ScalarType): unknown {
  switch (type) {
    case ScalarType.STRING:
      return random.of(...TEXTS);
    case ScalarType.BYTES:
      return random.bytes(random.of(0, 1, 16, 200));
    case ScalarType.BOOL:
      return random.of(true, false);
    case ScalarType.UINT64:
      return random.of(0n, 1n, 127n, 128n, 2n ** 32n, BigInt(random.below(2 ** 31)) * 3000n, 2n ** 53n - 1n);
    default:
      return random.of(0, 1, 127, 128, 300, 2 ** 31, 2 ** 32 - 1);
  }
}

function value(random: Random, field: DescField, depth: number): unknown {
  if (field.scalar === ScalarType.BYTES && field.localName === 'content') return toBinary(ContentSchema, randomMessage(random, ContentSchema, depth + 1) as Content);
  if (field.message) return randomMessage(random, field.message, depth + 1);
  if (field.enum) return random.of(...field.enum.values.map((v) => v.number));
  return scalar(random, field.scalar as ScalarType);
}

function list(random: Random, field: DescField, depth: number): unknown[] {
  return Array.from({ length: random.below(depth > 1 ? 2 : 5) }, () => value(random, field, depth));
}

function randomMessage(random: Random, desc: DescMessage, depth = 0): Message {
  const init: Record<string, unknown> = {};
  for (const member of desc.members) {
    if (random.below(4) === 0) continue;
    if (member.kind !== 'oneof') {
      init[member.localName] = member.fieldKind === 'list' ? list(random, member, depth) : value(random, member, depth);
    } else {
      const field = random.of(...member.fields);
      init[member.localName] = { case: field.localName, value: value(random, field, depth) };
    }
  }
  return create(desc, init as never);
}

describe.each(messages.map((desc) => [desc.name, desc] as const))('%s', (name, desc) => {
  it('is read and written as protobuf-es writes and reads it', () => {
    const random = new Random(name.length * 7919 + desc.fields.length);
    for (let n = 0; n < 200; n++) {
      const message = randomMessage(random, desc);
      const ours = codec.decode(name as keyof Messages, toBinary(desc, message));
      expect(equals(desc, fromBinary(desc, codec.encode(name as keyof Messages, ours)), message)).toBe(true);
    }
  });

  it('refuses damaged bytes cleanly, or reads something else', () => {
    const random = new Random(desc.fields.length + 1);
    for (let n = 0; n < 500; n++) {
      const bytes = toBinary(desc, randomMessage(random, desc));
      for (let hits = 1 + random.below(3); hits > 0; hits--) bytes[random.below(bytes.length)] = random.below(256);
      const damaged = random.below(2) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes;
      try {
        codec.decode(name as keyof Messages, damaged);
      } catch (error) {
        expect(error instanceof RangeError || error instanceof TypeError, String(error)).toBe(true);
        expect(String((error as Error).message)).not.toMatch(/undefined|is not a function/);
      }
    }
  });
});

it('has all messages of the contract', () => {
  expect(table.split(';').map((row) => row.split(' ')[0])).toEqual(messages.map((desc) => desc.name));
});

it('skips fields of every form that it does not know, and reads what comes after them', () => {
  const unknown = [0x98, 0x06, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x99, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0x9a, 0x06, 2, 1, 1, 0x9d, 0x06, 1, 2, 3, 4];
  expect(codec.decode('RenewToken', Uint8Array.of(...unknown, 0x0a, 1, 65))).toEqual({ token: 'A' });
});

it.each([-1, 1.5, 2 ** 53, NaN, Infinity, '7', null])('refuses to write %s as a number', (value) => {
  expect(() => codec.encode('PingReply', { serverTime: value as number })).toThrow(RangeError);
});

it.each(['peer ', 'user'])('writes %j as no kind of conversation', (kind) => {
  expect(() => codec.encode('ConversationRef', { kind: kind as 'peer', id: 'x' })).toThrow(RangeError);
});

it('tells who asked that a reply cannot be read, and what a frame without a reader is', () => {
  const cut = Uint8Array.of(0x08, 5, 0xf2, 0x01, 200, 1);
  expect(decodeFrame(cut, 'bob')).toMatchObject({ replyTo: 5, body: { kind: 'error', value: { code: 6000109 } } });
  expect(() => decodeFrame(Uint8Array.of(0xf2, 0x01, 200, 1), 'bob')).toThrow(expect.objectContaining({ code: 6000109 }));
});

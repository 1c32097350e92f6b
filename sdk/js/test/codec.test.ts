import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeRequest } from '../src/codec.js';
import * as pb from '../src/gen/wire/wire_pb.js';
import { fromHex, randomHex, toHex } from '../src/hex.js';

type Body = NonNullable<MessageInitShape<typeof pb.ServerFrameSchema>['body']>;

const frame = (body: Body, replyTo = 0): Uint8Array => toBinary(pb.ServerFrameSchema, create(pb.ServerFrameSchema, { replyTo, body }));

describe('requests', () => {
  it('writes every field of a send', () => {
    const id = '018bcfe5687b66778899aabbccddeeff'; // 018bcfe5687b: 1,700,000,000,123 ms
    const bytes = encodeRequest(7, 'sendMessage', {
      conversation: { kind: 'peer', id: 'bob' },
      clientMessageID: id,
      type: 200,
      subType: 9,
      priority: 3,
      body: new TextEncoder().encode('你好'),
      extendedData: 'e',
      searchedContent: 's',
      mentionedUserIDs: ['carol'],
      mentionAll: true,
    }, 'ff00');
    const { id: frameID, requestId, body } = fromBinary(pb.ClientFrameSchema, bytes);
    expect(frameID).toBe(7);
    expect(toHex(requestId)).toBe('ff00');
    expect(body.case).toBe('sendMessage');
    const send = body.value as pb.SendMessage;
    expect(toHex(send.clientMessageId)).toBe(id);
    expect(send).toMatchObject({ issuedAtMs: 1_700_000_000_123n, type: 200 });
    const content = fromBinary(pb.ContentSchema, send.content);
    expect(content).toMatchObject({ subType: 9, priority: 3, extendedData: 'e', searchedContent: 's', mentionedUserIds: ['carol'], mentionAll: true });
    expect(send.conversation).toMatchObject({ kind: pb.ConversationKind.PEER, id: 'bob' });
    expect(new TextDecoder().decode(content.body)).toBe('你好');
  });

  it.each([-1, 0.5, 2 ** 53, NaN])('refuses the number %d', (afterSeq) => {
    const ask = (): Uint8Array => encodeRequest(1, 'queryMessages', { conversation: { kind: 'peer', id: 'b' }, afterSeq, beforeSeq: 0, count: 1, newestFirst: true }, '');
    expect(ask).toThrow(expect.objectContaining({ code: 6000001 }));
  });
});

describe('frames of the server', () => {
  const message = { kind: pb.ConversationKind.PEER, senderId: 'alice', targetId: 'bob', seq: 3n };

  it.each([
    ['alice', 'bob'],
    ['bob', 'alice'],
  ])('for %s the conversation of a message between alice and bob is %s', (self, other) => {
    const { body } = decodeFrame(frame({ case: 'message', value: message }), self);
    expect(body).toMatchObject({ kind: 'message', value: { conversation: { kind: 'peer', id: other }, seq: 3 } });
  });

  it('refuses numbers that do not fit', () => {
    expect(() => decodeFrame(frame({ case: 'message', value: { ...message, seq: 2n ** 53n } }), 'bob')).toThrow(expect.objectContaining({ code: 6000109 }));
  });

  it('turns a reply that it does not understand into an error for the one who asked', () => {
    const page = { conversations: [{ ref: { kind: 9 as pb.ConversationKind, id: 'x' } }] };
    const { replyTo, body } = decodeFrame(frame({ case: 'listConversations', value: page }, 5), 'bob');
    expect([replyTo, body]).toMatchObject([5, { kind: 'error', value: { code: 6000109 } }]);
  });

  it('refuses bytes that are no frame', () => {
    expect(() => decodeFrame(new Uint8Array([255, 255, 255]), 'bob')).toThrow(expect.objectContaining({ code: 6000109 }));
  });

  it('gives a frame that it does not know without a body', () => {
    // Field 99, length-delimited, empty: a push of a newer server.
    expect(decodeFrame(new Uint8Array([0x9a, 0x06, 0x00]), 'bob')).toEqual({ replyTo: 0, body: undefined });
  });
});

it('hexadecimal goes both ways, and random ids differ', () => {
  expect(toHex(fromHex('00ff10'))).toBe('00ff10');
  expect(randomHex(16)).toMatch(/^[0-9a-f]{32}$/);
  expect(randomHex(16)).not.toBe(randomHex(16));
});

package chat

import (
	"crypto/sha256"
	"encoding/binary"
)

// innerHash stands for a content in the chain:
//
//	SHA-256(salt, SHA-256(content))
//
// Without the salt it tells nothing of what was said, not even to who guesses.
func innerHash(salt [16]byte, content [32]byte) [32]byte {
	var b [48]byte
	copy(b[:16], salt[:])
	copy(b[16:], content[:])
	return sha256.Sum256(b[:])
}

// inner is the hash of what the entry says, or said.
func (e *Entry) inner() [32]byte {
	if e.Kind == EntryErased {
		return e.Inner
	}
	return innerHash(e.Salt, sha256.Sum256(e.Content))
}

// chain gives the hash that follows prev when e is appended:
//
//	SHA-256(prev, conversation, kind, header, inner)
//
// The content enters through its salted hash only, so that erasing both keeps the
// chain checkable. An erased entry counts as the message that it was; its rev is
// no part of it, as it changes later.
func chain(prev [32]byte, c ConversationKey, e *Entry, inner [32]byte) [32]byte {
	kind := e.Kind
	if kind == EntryErased {
		kind = EntryMessage
	}
	var buf [384]byte
	b := append(buf[:0], prev[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(c.App))
	b = append(b, byte(c.Kind))
	b = appendSized(b, c.ID)
	b = append(b, byte(kind))
	b = binary.BigEndian.AppendUint32(b, uint32(e.Type))
	b = binary.BigEndian.AppendUint64(b, e.Seq)
	b = appendSized(b, e.Sender)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Time))
	b = binary.BigEndian.AppendUint64(b, e.OrderKey)
	b = binary.BigEndian.AppendUint64(b, e.Counted)
	b = binary.BigEndian.AppendUint64(b, e.Own)
	b = append(b, e.ClientMessageID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.IssuedAt))
	return sha256.Sum256(append(b, inner[:]...))
}

func appendSized(b []byte, v string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

// VerifyChain recomputes the hash over entries of the conversation that follow
// prev; it equals the head's Hash when they are all entries up to it, unchanged
// but for those that were erased.
func VerifyChain(prev [32]byte, c ConversationKey, entries []Entry) [32]byte {
	for i := range entries {
		prev = chain(prev, c, &entries[i], entries[i].inner())
	}
	return prev
}

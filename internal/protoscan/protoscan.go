// Package protoscan walks over the fields of an encoded protobuf message without
// decoding it. The doors' checks and the frame's splitting run on it, for every
// message; nothing in it allocates or blocks.
package protoscan

import "google.golang.org/protobuf/encoding/protowire"

// Scanner is at one field of a message after the other.
type Scanner struct {
	// Of the field that Next has found.
	Num    protowire.Number
	Type   protowire.Type
	Number uint64 // of a varint
	Bytes  []byte // of what has a length; it shares the message's memory

	// Rest is what comes after the field; while Next gives true.
	Rest   []byte
	broken bool
}

// Over begins before the first field of a message.
func Over(message []byte) Scanner { return Scanner{Rest: message} }

// Broken says that the bytes are cut off or garbled, or hold a group, which
// proto3 has none of.
func (s *Scanner) Broken() bool { return s.broken }

// Next goes to the next field; false at the end, and where the message is broken.
func (s *Scanner) Next() bool {
	b := s.Rest
	if len(b) == 0 {
		return false
	}
	tag, n := uint64(b[0]), 1
	if tag >= 0x80 {
		if tag, n = protowire.ConsumeVarint(b); n < 0 {
			return s.stop()
		}
	}
	number := tag >> 3
	if number < uint64(protowire.MinValidNumber) || number > uint64(protowire.MaxValidNumber) {
		return s.stop()
	}
	s.Num, s.Type, b = protowire.Number(number), protowire.Type(tag&7), b[n:]
	switch s.Type {
	case protowire.VarintType, protowire.BytesType:
		if len(b) > 0 && b[0] < 0x80 {
			s.Number, n = uint64(b[0]), 1
		} else if s.Number, n = protowire.ConsumeVarint(b); n < 0 {
			return s.stop()
		}
		b = b[n:]
		if s.Type == protowire.BytesType {
			if s.Number > uint64(len(b)) {
				return s.stop()
			}
			s.Bytes, b = b[:s.Number:s.Number], b[s.Number:]
		}
	case protowire.Fixed32Type:
		if len(b) < 4 {
			return s.stop()
		}
		b = b[4:]
	case protowire.Fixed64Type:
		if len(b) < 8 {
			return s.stop()
		}
		b = b[8:]
	default:
		return s.stop()
	}
	s.Rest = b
	return true
}

func (s *Scanner) stop() bool {
	s.broken, s.Rest = true, nil
	return false
}

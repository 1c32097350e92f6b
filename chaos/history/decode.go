package history

import (
	"encoding/json"
	"math"

	"github.com/parley-im/parley/chat"
)

// decoder decodes lines. encoding/json, at 250,000 lines a second, would take
// most of a check's time, so lines of the form that Writer gives to almost all
// events are decoded here: one flat object of known keys, strings of printable
// ASCII without escapes, whole numbers. All others go to encoding/json, and what
// both can decode they decode alike.
type decoder struct {
	// known are strings that come again and again, such as users.
	known map[string]string
}

// maxKnown bounds known.
const maxKnown = 1 << 16

// decode overwrites e. Errors are those of encoding/json.
func (d *decoder) decode(line []byte, e *Event) error {
	*e = Event{}
	if d.plain(line, e) {
		return nil
	}
	*e = Event{}
	return json.Unmarshal(line, e)
}

// plain decodes a line of the usual form; false leaves e half filled.
func (d *decoder) plain(line []byte, e *Event) bool {
	s := scanner{rest: line}
	if !s.take('{') {
		return false
	}
	for {
		key, ok := s.text()
		if !ok || !s.take(':') {
			return false
		}
		if s.next() == '"' {
			value, ok := s.text()
			if !ok || !d.setText(e, key, value) {
				return false
			}
		} else if n, negative, ok := s.number(); !ok || !setNumber(e, key, n, negative) {
			return false
		}
		if s.take(',') {
			continue
		}
		return s.take('}') && s.take('\n') && len(s.rest) == 0
	}
}

// setText sets a field of text; false when there is none of that name.
func (d *decoder) setText(e *Event, key, value []byte) bool {
	var field *string
	switch string(key) {
	case "cmid":
		e.Cmid = string(value)
		return true
	case "hash":
		e.Hash = string(value)
		return true
	case "digest":
		e.Digest = string(value)
		return true
	case "text":
		e.Text = string(value)
		return true
	case "kind":
		field = (*string)(&e.Kind)
	case "user":
		field = &e.User
	case "device":
		field = &e.Device
	case "conv":
		field = &e.Conversation
	case "sender":
		field = &e.Sender
	case "node":
		field = &e.Node
	case "fault":
		field = &e.Fault
	default:
		return false
	}
	*field = d.intern(value)
	return true
}

// intern gives the string of an earlier line that is equal.
func (d *decoder) intern(value []byte) string {
	if s, ok := d.known[string(value)]; ok {
		return s
	}
	if d.known == nil || len(d.known) >= maxKnown {
		d.known = map[string]string{}
	}
	s := string(value)
	d.known[s] = s
	return s
}

// setNumber sets a field that is a number; false when there is none of that
// name, or it does not hold the number.
func setNumber(e *Event, key []byte, n uint64, negative bool) bool {
	var field *uint64
	switch string(key) {
	case "at":
		return setSigned(&e.At, n, negative)
	case "call":
		return setSigned(&e.Call, n, negative)
	case "issued":
		return setSigned(&e.IssuedAt, n, negative)
	case "expires":
		return setSigned(&e.Expires, n, negative)
	case "app":
		e.App = chat.AppID(n)
		return !negative && n <= math.MaxUint32
	case "canary":
		e.Canary = chat.AppID(n)
		return !negative && n <= math.MaxUint32
	case "code":
		e.Code = chat.Code(n)
		return !negative && n <= math.MaxUint32
	case "want":
		e.Want = chat.Code(n)
		return !negative && n <= math.MaxUint32
	case "shard":
		e.Shard = uint16(n)
		return !negative && n <= math.MaxUint16
	case "op":
		field = &e.Op
	case "seq":
		field = &e.Seq
	case "first":
		field = &e.First
	case "last":
		field = &e.Last
	case "base":
		field = &e.Base
	case "read":
		field = &e.Read
	case "unread":
		field = &e.Unread
	default:
		return false
	}
	*field = n
	return !negative
}

func setSigned(field *int64, n uint64, negative bool) bool {
	*field = int64(n)
	if negative {
		*field = -*field
	}
	return n <= math.MaxInt64
}

// scanner takes a line apart.
type scanner struct{ rest []byte }

// next is the next byte, 0 at the end.
func (s *scanner) next() byte {
	if len(s.rest) == 0 {
		return 0
	}
	return s.rest[0]
}

// take skips a byte if it is the next one.
func (s *scanner) take(b byte) bool {
	if len(s.rest) == 0 || s.rest[0] != b {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// text takes a string without escapes.
func (s *scanner) text() ([]byte, bool) {
	if !s.take('"') {
		return nil, false
	}
	for i, b := range s.rest {
		switch {
		case b == '"':
			value := s.rest[:i]
			s.rest = s.rest[i+1:]
			return value, true
		case b < ' ' || b > '~' || b == '\\':
			return nil, false
		}
	}
	return nil, false
}

// number takes a whole number of at most 18 digits, which fit into 64 bits.
func (s *scanner) number() (n uint64, negative, ok bool) {
	negative = s.take('-')
	i := 0
	for i < len(s.rest) && s.rest[i] >= '0' && s.rest[i] <= '9' {
		n = n*10 + uint64(s.rest[i]-'0')
		i++
	}
	leadingZero := i > 1 && s.rest[0] == '0'
	s.rest = s.rest[i:]
	return n, negative, i > 0 && i <= 18 && !leadingZero
}

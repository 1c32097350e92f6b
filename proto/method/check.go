package method

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/parley-im/parley/chat"
)

// What every encoded message from outside is held to.
const (
	maxDepth   = 16       // of messages within messages
	maxUnknown = 16 << 10 // bytes of fields that this version does not know
)

// Checker checks an encoded message without decoding it: that it decodes, that
// strings are UTF-8, and the bounds of its fields. Fields that it does not know
// pass, up to a bound, so that newer clients can talk through older nodes. It
// allocates nothing but its error, and may be used by many goroutines at once.
type Checker struct {
	name   string
	fields []*field // by number
}

// field is what is to be checked of one field.
type field struct {
	name    string
	typ     protowire.Type
	packed  bool // elements may come as one chunk
	text    bool
	userID  bool
	max     int // bytes; 0: any number
	items   int // elements; 0: any number
	counter int // where elements are counted, if items is not 0
	message *Checker
}

// maxCounted is how many fields of one message may have a bound of elements.
const maxCounted = 8

const opCheck = "decode"

// Check looks at a message's bytes. CodeMalformedFrame: they are none, or a
// string is not UTF-8. CodeInvalidParam: a field breaks its bound.
func (c *Checker) Check(b []byte) error {
	unknown := maxUnknown
	return c.check(b, maxDepth, &unknown)
}

func (c *Checker) check(b []byte, depth int, unknown *int) error {
	if depth == 0 {
		return c.malformed("messages stand too deep in each other")
	}
	var counts [maxCounted]int
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 || num > protowire.MaxValidNumber {
			return c.malformed("the bytes are cut off or garbled")
		}
		f := c.field(num)
		size := n
		switch {
		case f == nil && typ != protowire.StartGroupType && typ != protowire.EndGroupType:
			size = protowire.ConsumeFieldValue(num, typ, b[n:])
			if *unknown -= n + size; *unknown < 0 {
				return c.malformed("there are too many fields that this version does not know")
			}
		case f != nil && typ == protowire.BytesType && (f.typ == typ || f.packed):
			var v []byte
			if v, size = protowire.ConsumeBytes(b[n:]); size >= 0 {
				if err := c.value(f, v, depth, unknown); err != nil {
					return err
				}
			}
		case f != nil && typ == f.typ:
			size = protowire.ConsumeFieldValue(num, typ, b[n:])
		default:
			return c.malformed("a field is of another type")
		}
		if size < 0 {
			return c.malformed("the bytes are cut off or garbled")
		}
		if f != nil && f.items > 0 {
			if counts[f.counter]++; counts[f.counter] > f.items {
				return chat.Errorf(chat.CodeInvalidParam, opCheck, "%s.%s has more than %d elements", c.name, f.name, f.items)
			}
		}
		b = b[n+size:]
	}
	return nil
}

// value checks what a field of the type bytes holds.
func (c *Checker) value(f *field, v []byte, depth int, unknown *int) error {
	switch {
	case f.max > 0 && len(v) > f.max:
		return chat.Errorf(chat.CodeInvalidParam, opCheck, "%s.%s has %d bytes; at most %d are allowed", c.name, f.name, len(v), f.max)
	case f.message != nil:
		return f.message.check(v, depth-1, unknown)
	case f.text && !utf8.Valid(v):
		return c.malformed("a string is not UTF-8")
	case f.userID:
		return chat.CheckUserID(opCheck, string(v))
	case f.packed:
		for len(v) > 0 {
			n := protowire.ConsumeFieldValue(1, f.typ, v)
			if n < 0 {
				return c.malformed("a packed list is cut off or garbled")
			}
			v = v[n:]
		}
	}
	return nil
}

func (c *Checker) field(num protowire.Number) *field {
	if int(num) < len(c.fields) {
		return c.fields[num]
	}
	return nil
}

func (c *Checker) malformed(what string) error {
	return chat.Errorf(chat.CodeMalformedFrame, opCheck, "%s: %s", c.name, what)
}

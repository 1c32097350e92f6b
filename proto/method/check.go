package method

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/internal/protoscan"
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
	left := len(b)
	v := protoscan.Over(b)
	for ; v.Next(); left = len(v.Rest) {
		f := c.field(v.Num)
		switch {
		case f == nil:
			if *unknown -= left - len(v.Rest); *unknown < 0 {
				return c.malformed("there are too many fields that this version does not know")
			}
			continue
		case v.Type == protowire.BytesType && (f.typ == v.Type || f.packed):
			if err := c.value(f, v.Bytes, depth, unknown); err != nil {
				return err
			}
		case v.Type != f.typ:
			return c.malformed("a field is of another type")
		}
		if f.items > 0 {
			if counts[f.counter]++; counts[f.counter] > f.items {
				return chat.Errorf(chat.CodeInvalidParam, opCheck, "%s.%s has more than %d elements", c.name, f.name, f.items)
			}
		}
	}
	if v.Broken() {
		return c.malformed("the bytes are cut off or garbled")
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

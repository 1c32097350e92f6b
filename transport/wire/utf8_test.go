package wire_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

// badString is invalid UTF-8.
const badString = "a\xffb"

// TestNoStringFieldEscapesTheUTF8Check plants bad UTF-8 in each string field
// that the descriptors know, one at a time, and expects a refusal.
func TestNoStringFieldEscapesTheUTF8Check(t *testing.T) {
	client := plantings(t, (&wirepb.ClientFrame{}).ProtoReflect().Type())
	for path, m := range client {
		if _, err := (wire.Proto{}).EncodeClient(m.(*wirepb.ClientFrame)); chat.CodeOf(err) != chat.CodeInvalidParam {
			t.Errorf("bad UTF-8 in %s was encoded: %v", path, err)
		}
		data, err := m.(*wirepb.ClientFrame).MarshalVT()
		if err != nil {
			t.Fatal(err)
		}
		r, err := wire.Split(data)
		if err == nil {
			err = method.ByNumber(r.Method).Request.Check(r.Body)
		}
		if chat.CodeOf(err) != chat.CodeMalformedFrame {
			t.Errorf("bad UTF-8 in %s passed: %v", path, err)
		}
	}
	server := plantings(t, (&wirepb.ServerFrame{}).ProtoReflect().Type())
	for path, m := range server {
		data, err := m.(*wirepb.ServerFrame).MarshalVT()
		if err != nil {
			t.Fatal(err)
		}
		if f, err := (wire.Proto{}).DecodeServer(data); f != nil || chat.CodeOf(err) != chat.CodeMalformedFrame {
			t.Errorf("bad UTF-8 in %s passed: %v", path, err)
		}
	}
	if len(client) < 15 || len(server) < 25 {
		t.Errorf("only %d and %d string fields were found", len(client), len(server))
	}
}

func TestBytesFieldsMayHoldAnything(t *testing.T) {
	f := sendFrame()
	f.GetSendMessage().Content = content(&wirepb.Content{Body: []byte(badString)})
	if got, err := inbound(wire.Proto{}, encodeClient(t, wire.Proto{}, f)); err != nil || !proto.Equal(got, f) {
		t.Errorf("got %v, %v", got, err)
	}
}

// plantings makes, for each string field reachable from a message of type mt,
// one message in which that field, and nothing else, is badString; by path.
func plantings(t *testing.T, mt protoreflect.MessageType) map[string]proto.Message {
	t.Helper()
	all := map[string]proto.Message{}
	var walk func(md protoreflect.MessageDescriptor, path []protoreflect.FieldDescriptor)
	walk = func(md protoreflect.MessageDescriptor, path []protoreflect.FieldDescriptor) {
		for i := range md.Fields().Len() {
			fd := md.Fields().Get(i)
			here := append(path[:len(path):len(path)], fd)
			switch fd.Kind() {
			case protoreflect.StringKind:
				root := mt.New()
				plant(root, here)
				all[pathName(here)] = root.Interface()
			case protoreflect.MessageKind:
				walk(fd.Message(), here)
			case protoreflect.BytesKind:
				if strings.HasSuffix(string(fd.FullName()), ".content") { // what is inside
					walk((&wirepb.Content{}).ProtoReflect().Descriptor(), here)
				}
			}
		}
	}
	walk(mt.Descriptor(), nil)
	return all
}

func plant(m protoreflect.Message, path []protoreflect.FieldDescriptor) {
	fd, rest := path[0], path[1:]
	switch {
	case len(rest) == 0 && fd.IsList():
		m.Mutable(fd).List().Append(protoreflect.ValueOfString(badString))
	case len(rest) == 0:
		m.Set(fd, protoreflect.ValueOfString(badString))
	case fd.Kind() == protoreflect.BytesKind:
		inside := (&wirepb.Content{}).ProtoReflect()
		plant(inside, rest)
		m.Set(fd, protoreflect.ValueOfBytes(content(inside.Interface().(*wirepb.Content))))
	case fd.IsList():
		plant(m.Mutable(fd).List().AppendMutable().Message(), rest)
	default:
		plant(m.Mutable(fd).Message(), rest)
	}
}

func pathName(path []protoreflect.FieldDescriptor) string {
	names := make([]string, len(path))
	for i, fd := range path {
		names[i] = string(fd.Name())
	}
	return strings.Join(names, ".")
}

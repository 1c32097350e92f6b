// Package method is the table of the client contract's methods. It is read once,
// at start, from the options on the fields of parley.wire.v1.ClientFrame: what a
// door, a handler or a page of docs wants to know of a method stands there and
// nowhere else. A contract that contradicts itself ends the program at start.
// Nothing here blocks.
package method

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/parley-im/parley/proto/methodpb"
	"github.com/parley-im/parley/proto/wirepb"
)

// The numbers of the frames' fields.
const (
	First = 10  // the first method; below it are fields of the frame's own
	Error = 2   // of ServerFrame: the answer that is none
	Push  = 500 // the first push
)

// Method is one method of the contract.
type Method struct {
	// Number and Name are those of the fields of both frames: 30, "send_message".
	Number uint32
	Name   string
	// Path is the name of the request's message, and of the method over HTTP:
	// "SendMessage".
	Path   string
	To     methodpb.To
	Kind   methodpb.Kind
	Rate   methodpb.Rate
	ZIM    string
	Action string
	Since  uint32
	// Request and Reply check encoded bodies.
	Request, Reply *Checker

	request, reply protoreflect.MessageType
}

// NewRequest makes an empty request.
func (m *Method) NewRequest() proto.Message { return m.request.New().Interface() }

// NewReply makes an empty reply.
func (m *Method) NewReply() proto.Message { return m.reply.New().Interface() }

// Client and Server check whole frames.
var (
	Client = checkerOf((*wirepb.ClientFrame)(nil).ProtoReflect().Descriptor())
	Server = checkerOf((*wirepb.ServerFrame)(nil).ProtoReflect().Descriptor())
)

var (
	all      = must(Read((*wirepb.ClientFrame)(nil).ProtoReflect().Descriptor(), (*wirepb.ServerFrame)(nil).ProtoReflect().Descriptor()))
	byNumber = numbered(all)
	byPath   = named(all)
)

// All lists the methods by number.
func All() []*Method { return slices.Clone(all) }

// ByNumber gives a method; nil when this version has none of that number.
func ByNumber(number uint32) *Method {
	if number >= uint32(len(byNumber)) {
		return nil
	}
	return byNumber[number]
}

// ByPath gives the method of a path; nil when there is none.
func ByPath(path string) *Method { return byPath[path] }

// Read makes the table of a contract's two frames.
func Read(client, server protoreflect.MessageDescriptor) ([]*Method, error) {
	requests, replies := client.Oneofs().ByName("body").Fields(), server.Oneofs().ByName("body").Fields()
	methods := make([]*Method, 0, requests.Len())
	for i := range requests.Len() {
		m, err := read(requests.Get(i), replies)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", requests.Get(i).FullName(), err)
		}
		methods = append(methods, m)
	}
	for i := range replies.Len() {
		f := replies.Get(i)
		if n := f.Number(); n != Error && n < Push && requests.ByNumber(n) == nil {
			return nil, fmt.Errorf("%s: no method has the number %d; pushes begin at %d", f.FullName(), n, Push)
		}
	}
	slices.SortFunc(methods, func(a, b *Method) int { return int(a.Number) - int(b.Number) })
	return methods, nil
}

func read(f protoreflect.FieldDescriptor, replies protoreflect.FieldDescriptors) (*Method, error) {
	o, _ := proto.GetExtension(f.Options(), methodpb.E_Method).(*methodpb.Method)
	if o.GetTo() == 0 || o.GetKind() == 0 || o.GetRate() == 0 || o.GetSince() == 0 {
		return nil, fmt.Errorf("the option (parley.method.method) must say to, kind, rate and since")
	}
	if f.Number() < First || f.Number() >= Push {
		return nil, fmt.Errorf("methods have the numbers from %d to %d", First, Push-1)
	}
	reply := replies.ByNumber(f.Number())
	if reply == nil || reply.Name() != f.Name() || reply.Message().Name() != f.Message().Name()+"Reply" {
		return nil, fmt.Errorf("the server's frame needs the field %d of the same name, a %sReply", f.Number(), f.Message().Name())
	}
	if err := checkTarget(o.To, f.Message().Fields().ByNumber(1)); err != nil {
		return nil, err
	}
	m := &Method{
		Number: uint32(f.Number()), Name: string(f.Name()), Path: string(f.Message().Name()),
		To: o.To, Kind: o.Kind, Rate: o.Rate, ZIM: o.Zim, Action: o.Action, Since: o.Since,
		Request: checkerOf(f.Message()), Reply: checkerOf(reply.Message()),
	}
	var err error
	if m.request, err = protoregistry.GlobalTypes.FindMessageByName(f.Message().FullName()); err == nil {
		m.reply, err = protoregistry.GlobalTypes.FindMessageByName(reply.Message().FullName())
	}
	return m, err
}

// checkTarget says whether a request's first field names what its method goes to.
func checkTarget(to methodpb.To, first protoreflect.FieldDescriptor) error {
	switch to {
	case methodpb.To_TO_CONVERSATION:
		if first == nil || first.Message() == nil || first.Message().Name() != "ConversationRef" {
			return fmt.Errorf("field 1 of what goes to a conversation is a ConversationRef")
		}
	case methodpb.To_TO_GROUP, methodpb.To_TO_ROOM:
		if first == nil || first.Kind() != protoreflect.StringKind {
			return fmt.Errorf("field 1 of what goes to a group or room is its ID")
		}
	}
	return nil
}

func numbered(methods []*Method) []*Method {
	out := make([]*Method, Push)
	for _, m := range methods {
		out[m.Number] = m
	}
	return out
}

func named(methods []*Method) map[string]*Method {
	out := make(map[string]*Method, len(methods))
	for _, m := range methods {
		out[m.Path] = m
	}
	return out
}

func must(methods []*Method, err error) []*Method {
	if err != nil {
		panic("method: " + err.Error())
	}
	return methods
}

package method

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/parley-im/parley/proto/methodpb"
)

// checkers are made once for each message; only while packages initialise.
var checkers = map[protoreflect.FullName]*Checker{}

// checkerOf makes the Checker of a message and of all that it holds.
func checkerOf(d protoreflect.MessageDescriptor) *Checker {
	if c := checkers[d.FullName()]; c != nil {
		return c
	}
	c := &Checker{name: string(d.Name())}
	checkers[d.FullName()] = c
	counted := 0
	for i := range d.Fields().Len() {
		fd := d.Fields().Get(i)
		f := fieldOf(fd)
		if f.items > 0 {
			f.counter = counted
			counted++
		}
		for int(fd.Number()) >= len(c.fields) {
			c.fields = append(c.fields, nil)
		}
		c.fields[fd.Number()] = f
	}
	if counted > maxCounted {
		panic(fmt.Sprintf("method: %s bounds the elements of more than %d fields", d.FullName(), maxCounted))
	}
	return c
}

func fieldOf(d protoreflect.FieldDescriptor) *field {
	f := &field{name: string(d.Name()), typ: typeOf(d), text: d.Kind() == protoreflect.StringKind}
	f.packed = d.IsList() && f.typ != protowire.BytesType
	if b, _ := proto.GetExtension(d.Options(), methodpb.E_Bound).(*methodpb.Bound); b != nil {
		f.max, f.items, f.userID = int(b.Max), int(b.MaxItems), b.UserId
	}
	if f.packed && f.items > 0 {
		panic(fmt.Sprintf("method: %s: the elements of a list of numbers cannot be bounded", d.FullName()))
	}
	if d.Message() != nil {
		f.message = checkerOf(d.Message())
	}
	if name, _ := proto.GetExtension(d.Options(), methodpb.E_Inside).(string); name != "" {
		inside, err := protoregistry.GlobalFiles.FindDescriptorByName(d.ParentFile().Package().Append(protoreflect.Name(name)))
		if err != nil {
			panic(fmt.Sprintf("method: %s: what is inside: %v", d.FullName(), err))
		}
		f.message = checkerOf(inside.(protoreflect.MessageDescriptor))
	}
	return f
}

func typeOf(d protoreflect.FieldDescriptor) protowire.Type {
	switch d.Kind() {
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return protowire.BytesType
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return protowire.Fixed32Type
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return protowire.Fixed64Type
	case protoreflect.GroupKind:
		panic(fmt.Sprintf("method: %s is a group, which the contract has none of", d.FullName()))
	}
	return protowire.VarintType
}

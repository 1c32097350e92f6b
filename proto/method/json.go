package method

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/parley-im/parley/proto/methodpb"
	"github.com/parley-im/parley/proto/wirepb"
)

// JSON is a message of the contract in proto3 JSON: names in lowerCamelCase,
// 64-bit numbers as texts, bytes as base64; but for bytes that have a message
// inside, which are written as that message. It works on a copy of the contract
// in which they are declared so: the encoding is the same.
type JSON struct {
	message protoreflect.MessageDescriptor
}

// JSONOf gives the JSON form of a message that is declared in proto/wire.
func JSONOf(m proto.Message) JSON {
	d, err := readable.FindDescriptorByName(m.ProtoReflect().Descriptor().FullName())
	if err != nil {
		panic(fmt.Sprintf("method: %v", err))
	}
	return JSON{d.(protoreflect.MessageDescriptor)}
}

// Encode reads JSON and gives the encoded message, fields ascending, which is the
// same for the same JSON. Names that this version does not know are skipped, so
// that a newer client can talk to an older node.
func (j JSON) Encode(text []byte) ([]byte, error) {
	m := dynamicpb.NewMessage(j.message)
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, m); err != nil {
		return nil, err
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

// Decode gives an encoded message as JSON, without what this version does not know.
func (j JSON) Decode(encoded []byte) ([]byte, error) {
	m := dynamicpb.NewMessage(j.message)
	if err := proto.Unmarshal(encoded, m); err != nil {
		return nil, err
	}
	return protojson.Marshal(m)
}

// readable is the contract with messages in the place of bytes that hold one.
var readable = func() *protoregistry.Files {
	files := new(protoregistry.Files)
	open(files, wirepb.File_wire_frame_proto)
	return files
}()

// open adds a file's copy after those that it imports.
func open(files *protoregistry.Files, f protoreflect.FileDescriptor) {
	for i := range f.Imports().Len() {
		if in := f.Imports().Get(i).FileDescriptor; strings.HasPrefix(in.Path(), "wire/") {
			if _, err := files.FindFileByPath(in.Path()); err != nil {
				open(files, in)
			}
		}
	}
	p := protodesc.ToFileDescriptorProto(f)
	for _, m := range p.MessageType {
		for _, field := range m.Field {
			if inside, _ := proto.GetExtension(field.Options, methodpb.E_Inside).(string); inside != "" {
				field.Type = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum()
				field.TypeName = proto.String("." + string(f.Package().Append(protoreflect.Name(inside))))
			}
		}
	}
	opened, err := protodesc.NewFile(p, resolver{files})
	if err == nil {
		err = files.RegisterFile(opened)
	}
	if err != nil {
		panic(fmt.Sprintf("method: %v", err))
	}
}

// resolver finds copies first, then what needs none.
type resolver struct{ copies *protoregistry.Files }

func (r resolver) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	if d, err := r.copies.FindFileByPath(path); err == nil {
		return d, nil
	}
	return protoregistry.GlobalFiles.FindFileByPath(path)
}

func (r resolver) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	if d, err := r.copies.FindDescriptorByName(name); err == nil {
		return d, nil
	}
	return protoregistry.GlobalFiles.FindDescriptorByName(name)
}

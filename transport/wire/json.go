package wire

import (
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/wirepb"
)

// JSON is proto3 JSON, one frame per text message, for tools that a person
// types into: names in lowerCamelCase, 64-bit numbers as strings, bytes as
// base64. Fields that this version does not know are skipped, as Proto skips
// them, so that a newer client can talk to an older node.
type JSON struct{}

var jsonReader = protojson.UnmarshalOptions{DiscardUnknown: true}

// Name is SubprotocolJSON.
func (JSON) Name() string { return SubprotocolJSON }

// Text is true.
func (JSON) Text() bool { return true }

// DecodeClient reads what a client said.
func (JSON) DecodeClient(data []byte) (*wirepb.ClientFrame, error) {
	f := new(wirepb.ClientFrame)
	if err := jsonReader.Unmarshal(data, f); err != nil {
		return nil, malformed(err)
	}
	data, err := f.MarshalVT()
	if err != nil {
		return nil, malformed(err)
	}
	if err := method.Client.Check(data); err != nil {
		return f, err
	}
	return checkClient(f)
}

// EncodeClient writes what a client says.
func (JSON) EncodeClient(f *wirepb.ClientFrame) ([]byte, error) { return protojson.Marshal(f) }

// DecodeServer reads what a node said.
func (JSON) DecodeServer(data []byte) (*wirepb.ServerFrame, error) {
	f := new(wirepb.ServerFrame)
	if err := jsonReader.Unmarshal(data, f); err != nil {
		return nil, malformed(err)
	}
	return checkServer(f)
}

// EncodeServer writes what a node says.
func (JSON) EncodeServer(f *wirepb.ServerFrame) ([]byte, error) { return protojson.Marshal(f) }

// AppendServer writes what a node says after dst.
func (JSON) AppendServer(dst []byte, f *wirepb.ServerFrame) ([]byte, error) {
	out, err := protojson.MarshalOptions{}.MarshalAppend(dst, f)
	if err != nil {
		return dst, err
	}
	return out, nil
}

package wire

import (
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/parley-im/parley/proto/wirepb"
)

// JSON is proto3 JSON, one frame per text message, for tools that a person
// types into: names in lowerCamelCase, 64-bit numbers as strings, bytes as
// base64. Fields that this version does not know are skipped, as Proto carries
// them, so that a newer client can talk to an older node.
type JSON struct{}

var jsonReader = protojson.UnmarshalOptions{DiscardUnknown: true}

// Name is SubprotocolJSON.
func (JSON) Name() string { return SubprotocolJSON }

// Text is true.
func (JSON) Text() bool { return true }

// Inbound encodes a client's message again, fields ascending.
func (JSON) Inbound(message []byte) ([]byte, error) {
	f := new(wirepb.ClientFrame)
	if err := jsonReader.Unmarshal(message, f); err != nil {
		return nil, malformed(err)
	}
	return f.MarshalVT()
}

// Outbound decodes a node's frame and writes it as JSON.
func (JSON) Outbound(frame []byte) ([]byte, error) {
	f := new(wirepb.ServerFrame)
	if err := f.UnmarshalVT(frame); err != nil {
		return nil, malformed(err)
	}
	return protojson.Marshal(f)
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

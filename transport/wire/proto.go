package wire

import (
	"slices"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
)

// Proto is the binary encoding, by code that vtprotobuf generated, since the hot
// path does without reflection. That code copies every bytes field out of its
// input but does not check that strings are UTF-8, so utf8.go does.
type Proto struct{}

// Name is SubprotocolProto.
func (Proto) Name() string { return SubprotocolProto }

// Text is false.
func (Proto) Text() bool { return false }

// DecodeClient reads what a client said.
func (Proto) DecodeClient(data []byte) (*wirepb.ClientFrame, error) {
	f := new(wirepb.ClientFrame)
	if err := f.UnmarshalVT(data); err != nil {
		return nil, malformed(err)
	}
	if !validClient(f) {
		return nil, chat.Errorf(chat.CodeMalformedFrame, opDecode, "a string of the frame is not UTF-8")
	}
	return checkClient(f)
}

// EncodeClient writes what a client says, if DecodeClient can read it.
func (Proto) EncodeClient(f *wirepb.ClientFrame) ([]byte, error) {
	if !validClient(f) {
		return nil, chat.Errorf(chat.CodeInvalidParam, "encode", "a string of the frame is not UTF-8")
	}
	return f.MarshalVT()
}

// DecodeServer reads what a node said.
func (Proto) DecodeServer(data []byte) (*wirepb.ServerFrame, error) {
	f := new(wirepb.ServerFrame)
	if err := f.UnmarshalVT(data); err != nil {
		return nil, malformed(err)
	}
	if !validServer(f) {
		return nil, chat.Errorf(chat.CodeMalformedFrame, opDecode, "a string of the frame is not UTF-8")
	}
	return checkServer(f)
}

// EncodeServer writes what a node says.
func (Proto) EncodeServer(f *wirepb.ServerFrame) ([]byte, error) { return f.MarshalVT() }

// AppendServer writes what a node says after dst; it allocates only when dst
// is too small.
func (Proto) AppendServer(dst []byte, f *wirepb.ServerFrame) ([]byte, error) {
	size := f.SizeVT()
	grown := slices.Grow(dst, size)[:len(dst)+size]
	if _, err := f.MarshalToSizedBufferVT(grown[len(dst):]); err != nil {
		return dst, err
	}
	return grown, nil
}

package wire_test

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

func sendFrame() *wirepb.ClientFrame {
	return &wirepb.ClientFrame{Id: 7, Body: &wirepb.ClientFrame_SendMessage{SendMessage: &wirepb.SendMessage{
		Conversation:    &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: "bob"},
		ClientMessageId: bytes.Repeat([]byte{0xAB}, 16),
		IssuedAtMs:      1<<53 - 1,
		Type:            1,
		Content:         content(&wirepb.Content{Body: []byte("你好, Bob"), MentionedUserIds: []string{"bob", "carol"}}),
	}}}
}

func content(c *wirepb.Content) []byte {
	data, err := c.MarshalVT()
	if err != nil {
		panic(err)
	}
	return data
}

func messageFrame() *wirepb.ServerFrame {
	return &wirepb.ServerFrame{Body: &wirepb.ServerFrame_Message{Message: &wirepb.Message{
		Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, SenderId: "alice", TargetId: "bob",
		MessageId: "m1", Seq: 1, OrderKey: 1<<53 - 1, Type: 2, Content: content(&wirepb.Content{Body: []byte{0xFF, 0x00, 0xFE}}),
	}}}
}

func TestEveryCodecIsFoundByItsNameAndKeepsFrames(t *testing.T) {
	for _, c := range wire.Codecs() {
		t.Run(c.Name(), func(t *testing.T) {
			if found, ok := wire.ByName(c.Name()); !ok || found != c {
				t.Fatalf("ByName(%q) = %v, %v", c.Name(), found, ok)
			}
			up, err := inbound(c, encodeClient(t, c, sendFrame()))
			if err != nil || !proto.Equal(up, sendFrame()) {
				t.Fatalf("client frame came back as %v, %v", up, err)
			}
			down, err := c.DecodeServer(outbound(t, c, messageFrame()))
			if err != nil || !proto.Equal(down, messageFrame()) {
				t.Fatalf("server frame came back as %v, %v", down, err)
			}
		})
	}
}

func encodeClient(t testing.TB, c wire.Codec, f *wirepb.ClientFrame) []byte {
	t.Helper()
	data, err := c.EncodeClient(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func outbound(t testing.TB, c wire.Codec, f *wirepb.ServerFrame) []byte {
	t.Helper()
	frame, err := f.MarshalVT()
	if err == nil {
		frame, err = c.Outbound(frame)
	}
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

// inbound takes a client's message as a node does, and decodes the whole frame.
func inbound(c wire.Codec, message []byte) (*wirepb.ClientFrame, error) {
	frame, err := c.Inbound(message)
	if err != nil {
		return nil, err
	}
	if _, err := wire.Split(frame); err != nil {
		return nil, err
	}
	f := new(wirepb.ClientFrame)
	return f, f.UnmarshalVT(frame)
}

func TestAnUnknownSubprotocolHasNoCodec(t *testing.T) {
	for _, name := range []string{"", "parley.v2.proto", "PARLEY.V1.PROTO"} {
		if c, ok := wire.ByName(name); ok {
			t.Errorf("ByName(%q) found %v", name, c)
		}
	}
}

func TestAReplyIsTheFrameThatHoldsIt(t *testing.T) {
	sent := &wirepb.SendMessageReply{MessageId: "m1", Seq: 7, OrderKey: 9}
	want := &wirepb.ServerFrame{ReplyTo: 300, Body: &wirepb.ServerFrame_SendMessage{SendMessage: sent}}
	body, err := sent.MarshalVT()
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]*actorpb.Answer{
		"typed":   actorpb.NewAnswer(1, sent),
		"encoded": {Request: 1, Body: body},
	} {
		dst := make([]byte, 0, 1024)
		frame, err := wire.AppendReply(append(dst, "before"...), 300, 30, answer)
		if err != nil || !bytes.HasPrefix(frame, []byte("before")) {
			t.Fatalf("%s: %q, %v", name, frame, err)
		}
		if f, err := (wire.Proto{}).DecodeServer(frame[len("before"):]); err != nil || !proto.Equal(f, want) {
			t.Errorf("%s: %v, %v", name, f, err)
		}
		if n := testing.AllocsPerRun(100, func() { _, _ = wire.AppendReply(dst, 300, 30, answer) }); n != 0 {
			t.Errorf("%s: appending to a large enough buffer allocated %v times", name, n)
		}
	}
}

func TestBytesThatAreNoFrameAreMalformed(t *testing.T) {
	good := encodeClient(t, wire.Proto{}, sendFrame())
	cases := []struct {
		name  string
		codec wire.Codec
		data  string
	}{
		{"garbage", wire.Proto{}, "\xff\xff\xff\xff"},
		{"cut off", wire.Proto{}, string(good[:len(good)-1])},
		{"wrong wire type", wire.Proto{}, "\x0a\x01a"},
		{"length beyond the end", wire.Proto{}, "\x52\xff\xff\xff\xff\x0f"},
		{"two bodies", wire.Proto{}, "\x08\x01\x5a\x00\x6a\x00"},
		{"a long request id", wire.Proto{}, "\x12\x11" + strings.Repeat("x", 17)},
		{"an id above 32 bits", wire.Proto{}, "\x08\xff\xff\xff\xff\xff\x01\x5a\x00"},
		{"a group", wire.Proto{}, "\xa3\x06\xa4\x06"},
		{"text", wire.JSON{}, "hello"},
		{"array", wire.JSON{}, "[]"},
		{"nothing", wire.JSON{}, ""},
		{"two bodies", wire.JSON{}, `{"id":1,"ping":{},"goodbye":{}}`},
		{"negative id", wire.JSON{}, `{"id":-1,"ping":{}}`},
		{"bad UTF-8", wire.JSON{}, "{\"id\":1,\"renewToken\":{\"token\":\"\xff\"}}"},
		{"two frames", wire.JSON{}, `{"id":1,"ping":{}}{"id":2,"ping":{}}`},
		{"deep", wire.JSON{}, strings.Repeat(`{"x":`, 20_000)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f, err := inbound(c.codec, []byte(c.data))
			if f != nil || chat.CodeOf(err) != chat.CodeMalformedFrame {
				t.Errorf("client: %v, %v", f, err)
			}
		})
	}
	if f, err := (wire.Proto{}).DecodeServer([]byte("\xff")); f != nil || chat.CodeOf(err) != chat.CodeMalformedFrame {
		t.Errorf("server, binary: %v, %v", f, err)
	}
	if f, err := (wire.JSON{}).DecodeServer([]byte("x")); f != nil || chat.CodeOf(err) != chat.CodeMalformedFrame {
		t.Errorf("server, JSON: %v, %v", f, err)
	}
}

func TestAFrameOfAnUnknownKindKeepsItsIDForTheAnswer(t *testing.T) {
	future := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 9)
	future = protowire.AppendBytes(protowire.AppendTag(future, 900, protowire.BytesType), []byte("later"))
	cases := []struct {
		codec wire.Codec
		data  []byte
	}{
		{wire.Proto{}, future},
		{wire.JSON{}, []byte(`{"id":9,"replyTo":9,"teleport":{"to":"bob"}}`)},
	}
	for _, c := range cases {
		frame, err := c.codec.Inbound(c.data)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := wire.Split(frame); err != nil || r.ID != 9 || method.ByNumber(r.Method) != nil {
			t.Errorf("%s, client: %+v, %v", c.codec.Name(), r, err)
		}
		down, err := c.codec.DecodeServer(c.data)
		if down.GetReplyTo() != 9 || chat.CodeOf(err) != chat.CodeUnknownFrame {
			t.Errorf("%s, server: %v, %v", c.codec.Name(), down, err)
		}
	}
}

func TestUnknownFieldsOfAKnownFrameAreSkipped(t *testing.T) {
	f, err := inbound(wire.JSON{}, []byte(`{"id":1,"ping":{"mood":"fine"},"trace":[1,{"a":2}]}`))
	if err != nil || f.GetPing() == nil {
		t.Errorf("JSON: %v, %v", f, err)
	}
	data := encodeClient(t, wire.Proto{}, &wirepb.ClientFrame{Id: 1, Body: &wirepb.ClientFrame_Ping{Ping: &wirepb.Ping{}}})
	data = protowire.AppendVarint(protowire.AppendTag(data, 500, protowire.VarintType), 1)
	data = protowire.AppendBytes(protowire.AppendTag(data, 9, protowire.BytesType), []byte("x"))
	if f, err := inbound(wire.Proto{}, data); err != nil || f.GetPing() == nil {
		t.Errorf("binary: %v, %v", f, err)
	}
}

func BenchmarkSplitAndCheckSend(b *testing.B) {
	data := encodeClient(b, wire.Proto{}, sendFrame())
	b.ReportAllocs()
	for b.Loop() {
		r, err := wire.Split(data)
		if err != nil || method.ByNumber(r.Method).Request.Check(r.Body) != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendMessage(b *testing.B) {
	f, dst := messageFrame(), make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.AppendVT(dst); err != nil {
			b.Fatal(err)
		}
	}
}

package wire_test

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

func sendFrame() *wirepb.ClientFrame {
	return &wirepb.ClientFrame{Id: 7, Body: &wirepb.ClientFrame_SendMessage{SendMessage: &wirepb.SendMessage{
		Conversation:     &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: "bob"},
		ClientMessageId:  bytes.Repeat([]byte{0xAB}, 16),
		IssuedAtMs:       1<<53 - 1,
		Type:             1,
		Body:             []byte("你好, Bob"),
		MentionedUserIds: []string{"bob", "carol"},
	}}}
}

func messageFrame() *wirepb.ServerFrame {
	return &wirepb.ServerFrame{Body: &wirepb.ServerFrame_Message{Message: &wirepb.Message{
		Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, SenderId: "alice", TargetId: "bob",
		MessageId: "m1", Seq: 1, OrderKey: 1<<53 - 1, Type: 2, Body: []byte{0xFF, 0x00, 0xFE},
	}}}
}

func TestEveryCodecIsFoundByItsNameAndKeepsFrames(t *testing.T) {
	for _, c := range wire.Codecs() {
		t.Run(c.Name(), func(t *testing.T) {
			if found, ok := wire.ByName(c.Name()); !ok || found != c {
				t.Fatalf("ByName(%q) = %v, %v", c.Name(), found, ok)
			}
			data, err := c.EncodeClient(sendFrame())
			if err != nil {
				t.Fatal(err)
			}
			up, err := c.DecodeClient(data)
			if err != nil || !proto.Equal(up, sendFrame()) {
				t.Fatalf("client frame came back as %v, %v", up, err)
			}
			data, err = c.EncodeServer(messageFrame())
			if err != nil {
				t.Fatal(err)
			}
			down, err := c.DecodeServer(data)
			if err != nil || !proto.Equal(down, messageFrame()) {
				t.Fatalf("server frame came back as %v, %v", down, err)
			}
		})
	}
}

func TestAnUnknownSubprotocolHasNoCodec(t *testing.T) {
	for _, name := range []string{"", "parley.v2.proto", "PARLEY.V1.PROTO"} {
		if c, ok := wire.ByName(name); ok {
			t.Errorf("ByName(%q) found %v", name, c)
		}
	}
}

func TestAppendServerKeepsWhatStandsBefore(t *testing.T) {
	for _, c := range wire.Codecs() {
		out, err := c.AppendServer([]byte("before"), messageFrame())
		if err != nil || !bytes.HasPrefix(out, []byte("before")) {
			t.Fatalf("%s: %q, %v", c.Name(), out, err)
		}
		f, err := c.DecodeServer(out[len("before"):])
		if err != nil || !proto.Equal(f, messageFrame()) {
			t.Errorf("%s: appended frame reads %v, %v", c.Name(), f, err)
		}
	}
}

func TestAppendServerUsesTheRoomThatIsThere(t *testing.T) {
	dst := make([]byte, 0, 1024)
	f := messageFrame()
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := (wire.Proto{}).AppendServer(dst, f); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("appending to a large enough buffer allocated %v times", allocs)
	}
}

func TestADecodedFrameSharesNothingWithItsInput(t *testing.T) {
	for _, c := range wire.Codecs() {
		data, err := c.EncodeClient(sendFrame())
		if err != nil {
			t.Fatal(err)
		}
		f, err := c.DecodeClient(data)
		if err != nil {
			t.Fatal(err)
		}
		for i := range data {
			data[i] = 0xEE
		}
		if !proto.Equal(f, sendFrame()) {
			t.Errorf("%s: overwriting the input changed the frame to %v", c.Name(), f)
		}
	}
}

func TestBytesThatAreNoFrameAreMalformed(t *testing.T) {
	good, err := wire.Proto{}.EncodeClient(sendFrame())
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name  string
		codec wire.Codec
		data  string
	}{
		{"garbage", wire.Proto{}, "\xff\xff\xff\xff"},
		{"cut off", wire.Proto{}, string(good[:len(good)-1])},
		{"wrong wire type", wire.Proto{}, "\x0a\x01a"},
		{"length beyond the end", wire.Proto{}, "\x12\xff\xff\xff\xff\x0f"},
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
			f, err := c.codec.DecodeClient([]byte(c.data))
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
		up, err := c.codec.DecodeClient(c.data)
		if up.GetId() != 9 || chat.CodeOf(err) != chat.CodeUnknownFrame {
			t.Errorf("%s, client: %v, %v", c.codec.Name(), up, err)
		}
		down, err := c.codec.DecodeServer(c.data)
		if down.GetReplyTo() != 9 || chat.CodeOf(err) != chat.CodeUnknownFrame {
			t.Errorf("%s, server: %v, %v", c.codec.Name(), down, err)
		}
	}
}

func TestUnknownFieldsOfAKnownFrameAreSkipped(t *testing.T) {
	f, err := wire.JSON{}.DecodeClient([]byte(`{"id":1,"ping":{"mood":"fine"},"trace":[1,{"a":2}]}`))
	if err != nil || f.GetPing() == nil {
		t.Errorf("JSON: %v, %v", f, err)
	}
	data, err := wire.Proto{}.EncodeClient(&wirepb.ClientFrame{Id: 1, Body: &wirepb.ClientFrame_Ping{Ping: &wirepb.Ping{}}})
	if err != nil {
		t.Fatal(err)
	}
	data = protowire.AppendVarint(protowire.AppendTag(data, 500, protowire.VarintType), 1)
	if f, err := (wire.Proto{}).DecodeClient(data); err != nil || f.GetPing() == nil {
		t.Errorf("binary: %v, %v", f, err)
	}
}

func BenchmarkDecodeSend(b *testing.B) {
	data, err := wire.Proto{}.EncodeClient(sendFrame())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (wire.Proto{}).DecodeClient(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendMessage(b *testing.B) {
	f, dst := messageFrame(), make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (wire.Proto{}).AppendServer(dst, f); err != nil {
			b.Fatal(err)
		}
	}
}

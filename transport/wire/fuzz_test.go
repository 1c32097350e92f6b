package wire_test

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

func FuzzInboundProto(f *testing.F) { fuzzInbound(f, wire.Proto{}) }

func FuzzInboundJSON(f *testing.F) { fuzzInbound(f, wire.JSON{}) }

// fuzzInbound holds the node's end to its contract on any input: what is taken
// apart without an error decodes to the same, and what is malformed is said to be.
func fuzzInbound(f *testing.F, c wire.Codec) {
	for _, seed := range seedFrames() {
		data, err := c.EncodeClient(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("{\"id\":1,\"sendMessage\":{\"content\":{\"body\":\"/w==\",\"mentionedUserIds\":[\"\\ud83d\\ude00\"]}}}"))
	f.Add([]byte("\x08\x01\xf2\x01\x04\x0a\x02\x12\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := c.Inbound(data)
		var r wire.Request
		if err == nil {
			r, err = wire.Split(frame)
		}
		if err != nil {
			if chat.CodeOf(err) != chat.CodeMalformedFrame {
				t.Fatalf("undocumented outcome: %v", err)
			}
			return
		}
		m := method.ByNumber(r.Method)
		if m == nil || m.Request.Check(r.Body) != nil {
			return
		}
		whole, body := new(wirepb.ClientFrame), m.NewRequest()
		if err := proto.Unmarshal(frame, whole); err != nil {
			t.Fatalf("what was taken apart does not decode: %v", err)
		}
		if err := proto.Unmarshal(r.Body, body); err != nil {
			t.Fatalf("the body of %s does not decode: %v", m.Name, err)
		}
		field := whole.ProtoReflect().WhichOneof(whole.ProtoReflect().Descriptor().Oneofs().ByName("body"))
		if whole.Id != r.ID || !bytes.Equal(whole.RequestId, r.RequestID) || uint32(field.Number()) != r.Method ||
			!proto.Equal(whole.ProtoReflect().Get(field).Message().Interface(), body) {
			t.Fatalf("%v was taken apart as %+v", whole, r)
		}
	})
}

func seedFrames() []*wirepb.ClientFrame {
	ref := &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: "bob"}
	return []*wirepb.ClientFrame{
		{Id: 1, Body: &wirepb.ClientFrame_Hello{Hello: &wirepb.Hello{
			ProtocolVersion: 1, AppId: 1, UserId: "alice", Token: "04abc", DeviceId: "d1", Platform: "go", Capabilities: []string{"x"}}}},
		{Id: 2, Body: &wirepb.ClientFrame_Ping{Ping: &wirepb.Ping{}}},
		sendFrame(),
		{Id: 4, Body: &wirepb.ClientFrame_QueryMessages{QueryMessages: &wirepb.QueryMessages{Conversation: ref, AfterSeq: 1, BeforeSeq: 1 << 52, Count: 30}}},
		{Id: 5, Body: &wirepb.ClientFrame_ListConversations{ListConversations: &wirepb.ListConversations{
			Count: 20, BeforeOrderKey: 5, Before: ref, Only: []*wirepb.ConversationRef{ref}}}},
		{Id: 6, RequestId: bytes.Repeat([]byte{9}, 16), Body: &wirepb.ClientFrame_ClearUnread{ClearUnread: &wirepb.ClearUnread{Conversation: ref}}},
		{Id: 7, Body: &wirepb.ClientFrame_RenewToken{RenewToken: &wirepb.RenewToken{Token: "04"}}},
		{Id: 8, Body: &wirepb.ClientFrame_Goodbye{Goodbye: &wirepb.Goodbye{}}},
	}
}

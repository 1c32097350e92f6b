package wire_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

func FuzzDecodeClientProto(f *testing.F) { fuzzClient(f, wire.Proto{}) }

func FuzzDecodeClientJSON(f *testing.F) { fuzzClient(f, wire.JSON{}) }

// fuzzClient holds a codec to its contract on any input: one of the three
// outcomes, and a frame that was read survives being written and read again.
func fuzzClient(f *testing.F, c wire.Codec) {
	for _, seed := range seedFrames() {
		data, err := c.EncodeClient(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("{\"id\":1,\"send\":{\"body\":\"/w==\",\"mentionedUserIds\":[\"\\ud83d\\ude00\"]}}"))
	f.Add([]byte("\x08\x01\x22\x04\x0a\x02\x12\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := c.DecodeClient(data)
		switch chat.CodeOf(err) {
		case 0:
			if frame.Body == nil {
				t.Fatal("a frame without body and without error")
			}
		case chat.CodeUnknownFrame:
			if frame == nil || frame.Body != nil {
				t.Fatalf("an unknown frame came with %v", frame)
			}
			return
		case chat.CodeMalformedFrame:
			if frame != nil {
				t.Fatalf("a malformed frame came with %v", frame)
			}
			return
		default:
			t.Fatalf("undocumented outcome: %v", err)
		}
		again, err := c.EncodeClient(frame)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := c.DecodeClient(again)
		if err != nil || !proto.Equal(frame, back) {
			t.Fatalf("%v became %v, %v", frame, back, err)
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
		{Id: 6, Body: &wirepb.ClientFrame_ClearUnread{ClearUnread: &wirepb.ClearUnread{Conversation: ref}}},
		{Id: 7, Body: &wirepb.ClientFrame_RenewToken{RenewToken: &wirepb.RenewToken{Token: "04"}}},
		{Id: 8, Body: &wirepb.ClientFrame_Goodbye{Goodbye: &wirepb.Goodbye{}}},
	}
}

package wirepb_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
)

var pair = chat.PeerConversation(7, "ann", "bo")

func drawMessage(t *rapid.T) chat.Message {
	m := chat.Message{
		Type: chat.MessageType(rapid.Uint32().Draw(t, "type")), SubType: rapid.Uint32().Draw(t, "sub-type"), Priority: rapid.Uint32().Draw(t, "priority"),
		Body: rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(t, "body"), ExtendedData: rapid.String().Draw(t, "extended"),
		SearchedContent: rapid.String().Draw(t, "searched"), MentionAll: rapid.Bool().Draw(t, "all"),
	}
	if ids := rapid.SliceOf(rapid.String()).Draw(t, "mentions"); len(ids) > 0 {
		m.MentionedUserIDs = ids
	}
	return m
}

// TestWhatIsSaidIsWhatIsReceived takes a message from its sender's content through
// an entry to another client's frame.
func TestWhatIsSaidIsWhatIsReceived(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawMessage(t)
		e := chat.Entry{
			Kind: chat.EntryKind(rapid.Uint8Range(1, 4).Draw(t, "kind")), Type: want.Type, Seq: rapid.Uint64().Draw(t, "seq"), Rev: rapid.Uint64().Draw(t, "rev"),
			Sender: rapid.SampledFrom([]string{"ann", "bo"}).Draw(t, "sender"), Time: rapid.Int64Range(0, 1<<52).Draw(t, "time"),
			OrderKey: rapid.Uint64().Draw(t, "key"), Counted: rapid.Uint64().Draw(t, "counted"), ClientMessageID: chat.ClientMessageID{1, 15: 2},
			Content: wirepb.EncodeContent(&want),
		}
		var frame wirepb.ServerFrame
		if err := frame.UnmarshalVT(wirepb.EntryPush(pair, &e, chat.MessageID(pair, e.Seq))); err != nil {
			t.Fatal(err)
		}
		got := frame.GetMessage()
		if said, err := wirepb.DecodeContent(chat.MessageType(got.Type), got.Content); err != nil || !reflect.DeepEqual(said, want) {
			t.Fatalf("%+v was received as %+v, %v", want, said, err)
		}
		other := map[string]string{"ann": "bo", "bo": "ann"}[e.Sender]
		if got.SenderId != e.Sender || got.TargetId != other || got.Kind != wirepb.ConversationKind_CONVERSATION_KIND_PEER || got.Seq != e.Seq ||
			got.OrderKey != e.OrderKey || got.TimestampMs != uint64(e.Time) || got.Counted != e.Counted || got.MessageId != chat.MessageID(pair, e.Seq) ||
			chat.ClientMessageID(got.ClientMessageId) != e.ClientMessageID || got.Entry != wirepb.EntryKind(e.Kind) || got.Rev != e.Rev {
			t.Fatalf("entry %+v was received as %v", e, got)
		}
	})
}

func TestAPassingMessageHasNoSeqAndTheClientsID(t *testing.T) {
	m := wirepb.Passing(&chat.Send{
		Conversation: pair, Sender: "bo", ClientMessageID: chat.ClientMessageID{0xab, 15: 0x01}, Type: chat.TypeCommand, Content: []byte("content"),
	}, 1_700_000_000_123)
	if m.Seq != 0 || m.MessageId != "ab000000000000000000000000000001" || m.SenderId != "bo" || m.TargetId != "ann" ||
		m.OrderKey != 1_700_000_000_123_000 || m.TimestampMs != 1_700_000_000_123 || m.Type != uint32(chat.TypeCommand) || string(m.Content) != "content" {
		t.Errorf("got %v", m)
	}
}

func TestAnAckCarriesEveryNumber(t *testing.T) {
	got := wirepb.FromSent(chat.Sent{MessageID: "m", Seq: 1, OrderKey: 2, Time: 3, Duplicate: true})
	if got.MessageId != "m" || got.Seq != 1 || got.OrderKey != 2 || got.TimestampMs != 3 || !got.Duplicate {
		t.Errorf("got %v", got)
	}
}

func TestARefusalTellsItsCodeAndHidesWhatIsForeign(t *testing.T) {
	e := wirepb.FromError("x", fmt.Errorf("outer: %w", chat.Errorf(chat.CodeBusy, "send", "full")))
	if e.Code != 6000005 || e.Message != "send: full" || !e.Retryable {
		t.Errorf("got %v", e)
	}
	foreign := wirepb.FromError("read", errors.New("open /secret: denied"))
	if foreign.Code != 6000007 || foreign.Retryable || strings.Contains(foreign.Message, "secret") {
		t.Errorf("got %v", foreign)
	}
}

package chat

import (
	"encoding/hex"
	"testing"
)

// The values of this file were computed by another program from the formats as
// they are described. Stored logs and clients hold them: a change here needs a
// new version of Apply and of the storage format.

var goldenKey = ConversationKey{App: 7, Kind: KindPeer, ID: "\x03ann\x02bo"}

func TestTheKeyOfAPeerConversationIsFixed(t *testing.T) {
	if got := PeerConversation(7, "bo", "ann"); got != goldenKey {
		t.Errorf("got %+v, want %+v", got, goldenKey)
	}
}

func TestTheFormOfAMessageIDIsFixed(t *testing.T) {
	if got, want := MessageID(goldenKey, 42), "j37cah13dqmm1o55-42"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTheHashChainIsFixed(t *testing.T) {
	e := Entry{
		Kind: EntryMessage, Type: TypeCustom, Seq: 42, Sender: "ann", Time: 1_700_000_000_123, OrderKey: 1_700_000_000_123_000, Counted: 42, Own: 17,
		IssuedAt: 1_700_000_000_001, Content: []byte("hi, 鲍勃"),
	}
	var prev [32]byte
	for i := range prev {
		prev[i] = 7
	}
	for i := range e.Salt {
		e.Salt[i], e.ClientMessageID[i] = byte(i), 0xf0+byte(i)
	}
	const want = "9515fcad95cd5a0b5b70ef9244d4730d99f4ea51feec4589fd7d23412a9c28d2"
	if got := VerifyChain(prev, goldenKey, []Entry{e}); hex.EncodeToString(got[:]) != want {
		t.Errorf("got %x, want %s", got, want)
	}
	e.Inner = e.inner()
	e.Kind, e.Rev, e.Salt, e.Content = EntryErased, 3, [16]byte{}, nil
	if got := VerifyChain(prev, goldenKey, []Entry{e}); hex.EncodeToString(got[:]) != want {
		t.Errorf("got %x once erased, want %s", got, want)
	}
}

func TestTheNumbersThatCrossTheWireAreFixed(t *testing.T) {
	for name, c := range map[string][2]uint32{
		"peer": {uint32(KindPeer), 1}, "room": {uint32(KindRoom), 2}, "group": {uint32(KindGroup), 3},
		"text": {uint32(TypeText), 1}, "command": {uint32(TypeCommand), 2}, "custom": {uint32(TypeCustom), 200},
		"a message": {uint32(EntryMessage), 1}, "a tip": {uint32(EntryTip), 2}, "a change of members": {uint32(EntryMembership), 3}, "erased": {uint32(EntryErased), 4},
		"version": {Version - step, 1}, "oldest": {oldest, 1}, "sweep": {dedupeSweep, 64},
		"busy": {uint32(CodeBusy), 6000005}, "unavailable": {uint32(CodeUnavailable), 6000102}, "timeout": {uint32(CodeTimeout), 6000105},
		"window passed": {uint32(CodeDedupeWindowPassed), 6009001}, "conflict": {uint32(CodeIDConflict), 6009002},
	} {
		if c[0] != c[1] {
			t.Errorf("%s is %d, want %d", name, c[0], c[1])
		}
	}
}

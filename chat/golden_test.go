package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

// The values of this file were computed by another program from the formats as
// they are described. Stored logs and clients hold them: a change here needs a
// new version of Apply and of the storage format.

var (
	goldenKey     = ConversationKey{App: 7, Kind: KindPeer, ID: "\x03ann\x02bo"}
	goldenMessage = Message{
		Type: TypeCustom, SubType: 3, Priority: 2, Body: []byte("hi, 鲍勃"), ExtendedData: `{"k":1}`, SearchedContent: "hi",
		MentionedUserIDs: []string{"bo", "cy"}, MentionAll: true,
	}
)

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

func TestTheEncodingOfContentIsFixed(t *testing.T) {
	const want = "000000c8" + "00000003" + "00000002" +
		"0a" + "68692c20e9b28de58b83" + "07" + "7b226b223a317d" + "02" + "6869" +
		"02" + "02626f" + "026379" + "01"
	content := goldenMessage.encode(nil, [16]byte{})[16:]
	if got := hex.EncodeToString(content); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	const sum = "aeb2989d8474dad3d64fdd4f6ab645a0815a5fdd5e518e8e9b0441acfc44ea81"
	if got := sha256.Sum256(content); hex.EncodeToString(got[:]) != sum {
		t.Errorf("hashes to %x, want %s", got, sum)
	}
}

func TestTheHashChainIsFixed(t *testing.T) {
	e := Entry{
		Seq: 42, Sender: "ann", Time: 1_700_000_000_123, OrderKey: 1_700_000_000_123_000, Counted: 42, Own: 17,
		IssuedAt: 1_700_000_000_001, Message: goldenMessage,
	}
	var prev [32]byte
	for i := range prev {
		prev[i] = 7
	}
	for i := range e.Salt {
		e.Salt[i], e.ClientMessageID[i] = byte(i), 0xf0+byte(i)
	}
	const want = "936dc9008cf769ece2a5d9ebcc70d68c652592d496864904e398e8bf15c8fe1e"
	if got := VerifyChain(prev, []Entry{e}); hex.EncodeToString(got[:]) != want {
		t.Errorf("got %x, want %s", got, want)
	}
}

func TestTheNumbersThatCrossTheWireAreFixed(t *testing.T) {
	for name, c := range map[string][2]uint32{
		"peer": {uint32(KindPeer), 1}, "room": {uint32(KindRoom), 2}, "group": {uint32(KindGroup), 3},
		"text": {uint32(TypeText), 1}, "command": {uint32(TypeCommand), 2}, "custom": {uint32(TypeCustom), 200},
		"version": {Version - step, 1}, "oldest": {oldest, 1}, "sweep": {dedupeSweep, 64},
		"busy": {uint32(CodeBusy), 6000005}, "unavailable": {uint32(CodeUnavailable), 6000102}, "timeout": {uint32(CodeTimeout), 6000105},
		"window passed": {uint32(CodeDedupeWindowPassed), 6009001}, "conflict": {uint32(CodeIDConflict), 6009002},
	} {
		if c[0] != c[1] {
			t.Errorf("%s is %d, want %d", name, c[0], c[1])
		}
	}
}

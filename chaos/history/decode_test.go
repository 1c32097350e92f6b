package history

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
)

// anyEvent draws events with any fields, most of them as they are in histories.
func anyEvent() *rapid.Generator[Event] {
	return rapid.Custom(func(t *rapid.T) Event {
		texts, most := rapid.StringMatching(`[a-z0-9:/.-]{0,12}`), uint64(1e17)
		if rapid.IntRange(0, 9).Draw(t, "strange") == 0 {
			texts, most = rapid.String(), math.MaxUint64
		}
		text := func(name string) string { return texts.Draw(t, name) }
		number := func(name string) uint64 { return rapid.Uint64Range(0, most).Draw(t, name) }
		signed := func(name string) int64 { return rapid.Int64Range(-int64(most/2), int64(most/2)).Draw(t, name) }
		return Event{
			At: signed("at"), Kind: Kind(text("kind")), Op: number("op"), Call: signed("call"),
			App: chat.AppID(rapid.Uint32().Draw(t, "app")), User: text("user"), Device: text("device"), Conversation: text("conv"),
			Cmid: text("cmid"), IssuedAt: signed("issued"), Sender: text("sender"), Seq: number("seq"),
			First: number("first"), Last: number("last"), Base: number("base"), Read: number("read"), Unread: number("unread"),
			Digest: text("digest"), Hash: text("hash"),
			Canary: chat.AppID(rapid.Uint32().Draw(t, "canary")), Code: chat.Code(rapid.Uint32().Draw(t, "code")), Expires: signed("expires"),
			Node: text("node"), Shard: rapid.Uint16().Draw(t, "shard"), Fault: text("fault"), Text: text("text"),
		}
	})
}

func TestBothDecodersAgree(t *testing.T) {
	var d decoder
	plain := 0
	rapid.Check(t, func(t *rapid.T) {
		e := anyEvent().Draw(t, "event")
		line, err := json.Marshal(&e)
		if err != nil {
			t.Fatal(err)
		}
		// Damage, so that lines which only one of them would take are among them.
		if rapid.Bool().Draw(t, "damaged") {
			at := rapid.IntRange(0, len(line)-1).Draw(t, "at")
			line[at] = rapid.SampledFrom([]byte(`{}[]":,-+.e09 x\`)).Draw(t, "byte")
		}
		var fast, slow Event
		if !d.plain(append(line, '\n'), &fast) {
			return
		}
		plain++
		if err := json.Unmarshal(line, &slow); err != nil || slow != fast {
			t.Fatalf("%s\nis %+v to one\nand %+v to the other, %v", line, fast, slow, err)
		}
	})
	var e Event
	if !d.plain([]byte(`{"at":12,"kind":"recv","app":1,"user":"u1","device":"d","conv":"peer:u1/u2","cmid":"00ff","sender":"u2","seq":5}`+"\n"), &e) {
		t.Error("an ordinary line is not decoded without encoding/json")
	}
	if plain == 0 {
		t.Error("encoding/json decoded every line")
	}
}

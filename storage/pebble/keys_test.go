package pebble

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/parley-im/parley/chat"
)

// TestTheKeyLayoutIsFixed: data directories hold these keys. A change needs a
// new storage format.
func TestTheKeyLayoutIsFixed(t *testing.T) {
	u := chat.UserKey{App: 7, ID: "ann"}
	c := chat.PeerConversation(7, "ann", "bo")
	d := chat.DedupeKey{Conversation: c, IssuedAt: 0x0102, Sender: "bo", ID: chat.ClientMessageID{0xaa, 15: 0xbb}}
	for name, k := range map[string]struct {
		got  []byte
		want string
	}{
		"format":      {keyFormat, "0066"},
		"shards":      {keyShards, "0073"},
		"node":        {keyNode, "006e"},
		"replica":     {replicaKey(0x0109), "01" + "0109"},
		"user":        {appendUserKey(nil, 0x0109, u), "02" + "0109" + "00000007" + "01" + "03616e6e"},
		"membership":  {appendMembershipKey(nil, 9, chat.MembershipKey{User: u, Conversation: c}), "02" + "0009" + "00000007" + "02" + "03616e6e" + "01" + "0703616e6e02626f"},
		"head":        {appendHeadKey(nil, 9, c), "02" + "0009" + "00000007" + "03" + "01" + "0703616e6e02626f"},
		"entry":       {appendEntryKey(nil, 9, chat.EntryKey{Conversation: c, Seq: 0x0203}), "02" + "0009" + "00000007" + "04" + "01" + "0703616e6e02626f" + "0000000000000203"},
		"dedupe":      {appendDedupeKey(nil, 9, d), "02" + "0009" + "00000007" + "05" + "01" + "0703616e6e02626f" + "0000000000000102" + "02626f" + "aa0000000000000000000000000000bb"},
		"outbox":      {appendOutboxKey(nil, 9, chat.EffectRef{Destination: 0x0304, Number: 5}), "02" + "0009" + "00000000" + "06" + "0304" + "0000000000000005"},
		"outbox head": {appendOutboxHeadKey(nil, 9, 0x0304), "02" + "0009" + "00000000" + "07" + "0304"},
		"outbox base": {appendOutboxBaseKey(nil, 9, 0x0304), "02" + "0009" + "00000000" + "0e" + "0304"},
		"effect mark": {appendEffectMarkKey(nil, 9, chat.EffectSource{Shard: 0x0304, Epoch: 2}), "02" + "0009" + "00000000" + "08" + "0304" + "0000000000000002"},
		"applied":     {appendOwn(nil, 9, tableApplied), "02" + "0009" + "00000000" + "09"},
		"descriptor":  {appendOwn(nil, 9, tableDescriptor), "02" + "0009" + "00000000" + "0a"},
		"log base":    {appendOwn(nil, 9, tableLogBase), "02" + "0009" + "00000000" + "0b"},
		"log":         {appendLogKey(nil, 9, 0x0203), "02" + "0009" + "00000000" + "0c" + "0000000000000203"},
		"document":    {appendOwn(nil, 9, tableDocument), "02" + "0009" + "00000000" + "0d"},
	} {
		if got := hex.EncodeToString(k.got); got != k.want {
			t.Errorf("%s is at %s, want %s", name, got, k.want)
		}
	}
}

func TestAMembershipKeyTellsItsConversation(t *testing.T) {
	u := chat.UserKey{App: 7, ID: "ann"}
	for _, c := range []chat.ConversationKey{chat.PeerConversation(7, "ann", "bo"), {App: 7, Kind: chat.KindGroup, ID: "g"}, {App: 7, Kind: chat.KindRoom}} {
		prefix := appendMembershipsPrefix(nil, 9, u)
		got, ok := parseConversation(7, appendMembershipKey(nil, 9, chat.MembershipKey{User: u, Conversation: c})[len(prefix):])
		if !ok || got != c {
			t.Errorf("%+v is read as %+v, %v", c, got, ok)
		}
	}
	for _, rest := range []string{"", "\x01", "\x01\x02a", "\x01\x01ab"} {
		if c, ok := parseConversation(7, []byte(rest)); ok {
			t.Errorf("%q is read as %+v", rest, c)
		}
	}
}

func TestThePrefixEndIsBehindAllKeysOfThePrefix(t *testing.T) {
	for prefix, want := range map[string][]byte{"a": []byte("b"), "a\xff": []byte("b"), "a\xff\xff": []byte("b"), "a\xfe": []byte("a\xff"), "\xff": nil} {
		if got := prefixEnd([]byte(prefix)); !bytes.Equal(got, want) {
			t.Errorf("after %q comes %q, want %q", prefix, got, want)
		}
	}
}

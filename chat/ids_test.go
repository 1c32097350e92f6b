package chat_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
)

func TestUserIDsAreOneTo32BytesOfTheAlphabet(t *testing.T) {
	for _, id := range []string{"a", "Z", "0", "a-b_c", strings.Repeat("x", 32), "!#$%&()+-:;<=.>?@[]^_{}|~"} {
		if err := chat.CheckUserID("test", id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, id := range []string{"", strings.Repeat("x", 33), "a b", "a/b", "a\\b", "a'b", `a"b`, "a*b", "a,b", "a`b", "é", "李雷", "a\x00", "\x7f", "\xc1", "a\n"} {
		if err := chat.CheckUserID("test", id); chat.CodeOf(err) != chat.CodeInvalidParam {
			t.Errorf("%q passed or failed otherwise: %v", id, err)
		}
	}
}

func TestEveryByteIsInTheAlphabetOrNot(t *testing.T) {
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&()+-:;<=.>?@[]^_{}|~"
	for b := range 256 {
		want := strings.IndexByte(alphabet, byte(b)) >= 0
		if got := chat.CheckUserID("test", string([]byte{byte(b)})) == nil; got != want {
			t.Errorf("byte %#x allowed: %v, want %v", b, got, want)
		}
	}
}

func TestDeviceIDsAreOneTo64PlainCharacters(t *testing.T) {
	for _, id := range []string{"a", "A-z_9", strings.Repeat("d", 64)} {
		if err := chat.CheckDeviceID("test", id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, id := range []string{"", strings.Repeat("d", 65), "a.b", "a b", "é", "@", "[", "`", "{"} {
		if err := chat.CheckDeviceID("test", id); chat.CodeOf(err) != chat.CodeInvalidParam {
			t.Errorf("%q passed or failed otherwise: %v", id, err)
		}
	}
}

func TestProfilesAreBoundedUTF8(t *testing.T) {
	for _, c := range []struct {
		name, url string
		ok        bool
	}{
		{"", "", true},
		{strings.Repeat("n", 256), strings.Repeat("u", 500), true},
		{strings.Repeat("n", 257), "", false},
		{"", strings.Repeat("u", 501), false},
		{"\xff", "", false},
		{"", "\xc3", false},
		{"韩梅梅", "https://example.org/é.png", true},
	} {
		if err := chat.CheckProfile("test", c.name, c.url); (err == nil) != c.ok || err != nil && chat.CodeOf(err) != chat.CodeInvalidParam {
			t.Errorf("%d and %d bytes: %v, want ok %v", len(c.name), len(c.url), err, c.ok)
		}
	}
}

func TestAPeerConversationIsTheSameFromBothSidesAndTellsItsPeers(t *testing.T) {
	id := rapid.StringMatching(`[A-Za-z0-9!#$%&()+\-:;<=.>?@\[\]^_{}|~]{1,32}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := id.Draw(t, "a"), id.Draw(t, "b")
		key := chat.PeerConversation(app, a, b)
		if key != chat.PeerConversation(app, b, a) {
			t.Fatalf("%q and %q have two conversations", a, b)
		}
		first, second, ok := key.Peers()
		if a == b {
			if ok {
				t.Fatalf("%q talks to themselves", a)
			}
			return
		}
		if !ok || first != min(a, b) || second != max(a, b) {
			t.Fatalf("the peers of %q and %q are %q and %q, %v", a, b, first, second, ok)
		}
		ofA, okA := key.Other(a)
		ofB, okB := key.Other(b)
		if !okA || !okB || ofA != b || ofB != a {
			t.Fatalf("the other of %q is %q, of %q is %q", a, ofA, b, ofB)
		}
		if _, ok := key.Other(a + b); ok {
			t.Fatalf("%q is no member", a+b)
		}
	})
}

func TestMalformedPeerKeysHaveNoPeers(t *testing.T) {
	for _, id := range []string{"", "\x01", "\x01a", "\x01a\x01", "\x01a\x02b", "\x01a\x01bc", "\x01b\x01a", "\x01a\x01a", "\xffab", "\x00\x01a", "\x01a\x00"} {
		if first, second, ok := (chat.ConversationKey{App: app, Kind: chat.KindPeer, ID: id}).Peers(); ok {
			t.Errorf("%q is taken for %q and %q", id, first, second)
		}
	}
	if _, _, ok := (chat.ConversationKey{App: app, Kind: chat.KindGroup, ID: "\x01a\x01b"}).Peers(); ok {
		t.Error("a group has peers")
	}
}

// TestAnyKeyThatSplitsIsTheOneThatItsPeersMake keeps two keys from meaning the
// same conversation.
func TestAnyKeyThatSplitsIsTheOneThatItsPeersMake(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, 3, 'a', 'b'}), 0, 9).Draw(t, "id")
		key := chat.ConversationKey{App: app, Kind: chat.KindPeer, ID: string(raw)}
		if first, second, ok := key.Peers(); ok && chat.PeerConversation(app, first, second) != key {
			t.Fatalf("%q splits into %q and %q, which make another key", raw, first, second)
		}
	})
}

func TestAClientMessageIDCarriesTheTimeOfItsFirstAttempt(t *testing.T) {
	id := chat.ClientMessageID{6: 0x66, 15: 0xff}
	id.SetIssuedAt(1_700_000_000_123)
	if want := (chat.ClientMessageID{0x01, 0x8b, 0xcf, 0xe5, 0x68, 0x7b, 0x66, 15: 0xff}); id != want || id.IssuedAt() != 1_700_000_000_123 {
		t.Errorf("%x of %d, want %x", id, id.IssuedAt(), want)
	}
}

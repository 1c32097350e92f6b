package chat

import (
	"strings"
	"unicode/utf8"
)

// AppID numbers an app, the tenant: no data crosses from one to another. 1 or
// more.
type AppID uint32

// Kind says what a conversation is. The numbers are wire.ConversationKind's.
type Kind uint8

// The kinds of conversation.
const (
	KindPeer  Kind = 1
	KindRoom  Kind = 2
	KindGroup Kind = 3
)

// userIDPunctuation are the characters beside ASCII letters and digits that a
// user ID may hold (ZIM's alphabet).
const userIDPunctuation = "!#$%&()+-:;<=.>?@[]^_{}|~"

// CheckUserID gives CodeInvalidParam with a sentence when id breaks the rules:
// 1 to 32 bytes of ASCII letters, digits and the punctuation that ZIM allows.
func CheckUserID(op, id string) error {
	if id == "" {
		return Errorf(CodeInvalidParam, op, "the user ID is empty; 1 to %d bytes are allowed", MaxUserIDBytes)
	}
	if len(id) > MaxUserIDBytes {
		return Errorf(CodeInvalidParam, op, "the user ID has %d bytes; 1 to %d are allowed", len(id), MaxUserIDBytes)
	}
	for i := 0; i < len(id); i++ {
		if !userIDByte[id[i]] {
			return Errorf(CodeInvalidParam, op, "the user ID holds %q; letters, digits and %s are allowed", id[i], userIDPunctuation)
		}
	}
	return nil
}

// userIDByte tells whether a byte may stand in a user ID.
var userIDByte = func() (t [256]bool) {
	for c := 0; c < 256; c++ {
		b := byte(c)
		letter := b|0x20 >= 'a' && b|0x20 <= 'z'
		digit := b >= '0' && b <= '9'
		t[c] = letter || digit || strings.IndexByte(userIDPunctuation, b) >= 0
	}
	return t
}()

// CheckDeviceID gives CodeInvalidParam unless id is 1 to 64 letters, digits,
// '-' or '_'.
func CheckDeviceID(op, id string) error {
	ok := id != "" && len(id) <= MaxDeviceIDBytes
	for i := 0; ok && i < len(id); i++ {
		b := id[i]
		ok = b|0x20 >= 'a' && b|0x20 <= 'z' || b >= '0' && b <= '9' || b == '-' || b == '_'
	}
	if !ok {
		return Errorf(CodeInvalidParam, op, "the device ID must be 1 to %d letters, digits, '-' or '_'", MaxDeviceIDBytes)
	}
	return nil
}

// CheckProfile gives CodeInvalidParam when a name or avatar URL is too long or
// not UTF-8. Both may be empty.
func CheckProfile(op, name, avatarURL string) error {
	if len(name) > MaxUserNameBytes || !utf8.ValidString(name) {
		return Errorf(CodeInvalidParam, op, "the user name must be UTF-8 of at most %d bytes", MaxUserNameBytes)
	}
	if len(avatarURL) > MaxAvatarURLBytes || !utf8.ValidString(avatarURL) {
		return Errorf(CodeInvalidParam, op, "the avatar URL must be UTF-8 of at most %d bytes", MaxAvatarURLBytes)
	}
	return nil
}

// UserKey names a user across apps.
type UserKey struct {
	App AppID
	ID  string
}

// ConversationKey names a conversation across apps. It is comparable. For a
// peer conversation ID holds both user IDs in bytewise order, each after one
// byte with its length; clients only ever see the other user's ID.
type ConversationKey struct {
	App  AppID
	Kind Kind
	ID   string
}

// PeerConversation is the key of the conversation between two users of an app,
// whichever is named first. Both IDs must have passed CheckUserID.
func PeerConversation(app AppID, a, b string) ConversationKey {
	if b < a {
		a, b = b, a
	}
	id := make([]byte, 0, 2+len(a)+len(b))
	id = append(append(id, byte(len(a))), a...)
	id = append(append(id, byte(len(b))), b...)
	return ConversationKey{App: app, Kind: KindPeer, ID: string(id)}
}

// Peers splits a peer conversation's ID; ok is false when the key is of
// another kind or malformed.
func (k ConversationKey) Peers() (first, second string, ok bool) {
	if k.Kind != KindPeer || k.ID == "" {
		return "", "", false
	}
	n := int(k.ID[0])
	if n == 0 || len(k.ID) < 2+n {
		return "", "", false
	}
	first, rest := k.ID[1:1+n], k.ID[1+n:]
	if len(rest) != 1+int(rest[0]) || rest[1:] <= first {
		return "", "", false
	}
	return first, rest[1:], true
}

// Other is the member of a peer conversation that is not user; ok is false
// when user is no member.
func (k ConversationKey) Other(user string) (string, bool) {
	first, second, ok := k.Peers()
	switch {
	case ok && user == first:
		return second, true
	case ok && user == second:
		return first, true
	}
	return "", false
}

package history

import "strings"

// Peer is the name of the conversation of two users, whichever comes first: no
// user ID holds a slash.
func Peer(a, b string) string {
	if b < a {
		a, b = b, a
	}
	return "peer:" + a + "/" + b
}

// Peers gives the two users of a conversation that Peer named.
func Peers(conversation string) (first, second string, ok bool) {
	members, ok := strings.CutPrefix(conversation, "peer:")
	if !ok {
		return "", "", false
	}
	return strings.Cut(members, "/")
}

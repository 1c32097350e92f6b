package wire

import "github.com/parley-im/parley/chat"

// What a send holds besides its texts.
const (
	// envelopeBytes has room for names, numbers, identifiers and some white space.
	envelopeBytes = 4 << 10
	// escaped is how many bytes JSON may take for one: \u0001.
	escaped = 6
	// mentionBytes is one mention in JSON: an ID in which every byte has a
	// backslash, quotes and a comma.
	mentionBytes = 2*chat.MaxUserIDBytes + 3
)

// SendBytes is the room that the largest send within the limits takes, in
// whichever encoding it is longest: JSON has the body as base64.
func SendBytes(l chat.Limits) int {
	body := max(l.TextBytes, l.CustomBytes, l.CommandBytes)
	return 4*(body+2)/3 + escaped*(l.ExtendedDataBytes+l.SearchedBytes) + chat.MaxMentions*mentionBytes + envelopeBytes
}

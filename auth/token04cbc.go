package auth

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/json"
	"unicode/utf8"

	"github.com/parley-im/parley/chat"
)

// The CBC form of a token04 has no MAC. The initialisation vector travels in the
// token, so its holder can turn the plaintext's first block into any other; a
// change further on turns the block before it into noise, which hardly ever is
// JSON. Hence the rule about what stands first, and hence this form is accepted
// only where an app asks for it. docs/security.md tells operators.

// openCBC decrypts ct, which is overwritten, and checks all that a CBC plaintext
// can be checked for. It must be UTF-8 although encoding/json would mend it: a
// block of noise is the trace of an altered token.
func (a App) openCBC(nonce, ct []byte) ([]byte, error) {
	block, err := aes.NewCipher([]byte(a.Secret))
	if err != nil {
		return nil, err
	}
	cipher.NewCBCDecrypter(block, nonce).CryptBlocks(ct, ct)
	text, ok := unpad(ct)
	if !ok || !utf8.Valid(text) || !a.accepts(Kind04CBCAnyOrder) && !beginsWithApp(text, a.ID) {
		return nil, errUnreadable
	}
	return text, nil
}

// beginsWithApp says whether the plaintext's first field is the app's ID, which
// no holder gains anything by changing: what is left of the first block has no
// room for a user ID.
func beginsWithApp(text []byte, id chat.AppID) bool {
	in := json.NewDecoder(bytes.NewReader(text))
	for _, want := range []json.Token{json.Delim('{'), "app_id"} {
		if got, err := in.Token(); err != nil || got != want {
			return false
		}
	}
	var n jsonInt
	return in.Decode(&n) == nil && n == jsonInt(id)
}

// unpad removes PKCS #5 padding in a time that does not depend on its bytes.
func unpad(data []byte) ([]byte, bool) {
	last := data[len(data)-aes.BlockSize:]
	n := int(last[aes.BlockSize-1])
	good := subtle.ConstantTimeLessOrEq(1, n) & subtle.ConstantTimeLessOrEq(n, aes.BlockSize)
	for i, b := range last {
		padding := subtle.ConstantTimeLessOrEq(aes.BlockSize-n, i)
		good &= subtle.ConstantTimeSelect(padding, subtle.ConstantTimeByteEq(b, byte(n)), 1)
	}
	if good == 0 {
		return nil, false
	}
	return data[:len(data)-n], true
}

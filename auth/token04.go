package auth

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/parley-im/parley/chat"
)

// The layout of a token04, integers big-endian:
//
//	"04" + base64( expire int64 | ivLen uint16 = 16 | iv | ctLen uint16 | ct )
//
// ct is AES-256-CBC with PKCS #5 padding under the secret's 32 characters, of
// the JSON object in plain04.
const prefix04 = "04"

// plain04 is what a token04 says inside.
type plain04 struct {
	AppID  jsonInt `json:"app_id"`
	UserID string  `json:"user_id"`
	Nonce  jsonInt `json:"nonce"`
	CTime  jsonInt `json:"ctime"`
	Expire jsonInt `json:"expire"`
	// Payload holds privileges of a service that Parley does not offer: not read,
	// written as "".
	Payload json.RawMessage `json:"payload"`
}

// errUnreadable is the one answer to everything that depends on the secret: who
// alters a token learns nothing from how far it got.
var errUnreadable = errors.New("the token cannot be read with this app's secret")

// read04 opens a token that begins with two digits.
func read04(token string, a App) (Claims, error) {
	if token[:2] != prefix04 {
		return Claims{}, chat.Errorf(chat.CodeTokenVersion, opLogin, "the token has version %s; only %s is supported", token[:2], prefix04)
	}
	if a.Secret == "" {
		return Claims{}, invalid("app %d takes no token04", a.ID)
	}
	expire, iv, ct, err := split04(token[2:])
	if err != nil {
		return Claims{}, invalid("%w", err)
	}
	p, err := decrypt04(a.Secret, iv, ct)
	if err != nil || int64(p.Expire) != expire {
		return Claims{}, invalid("%w", errUnreadable)
	}
	c := Claims{UserID: p.UserID, ExpiresAt: time.Unix(expire, 0)}
	if p.AppID >= 0 && p.AppID <= math.MaxUint32 {
		c.AppID = chat.AppID(p.AppID)
	}
	return c, nil
}

// split04 takes the outer layer apart.
func split04(encoded string) (expire int64, iv, ct []byte, err error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return 0, nil, nil, errors.New("the token is not base64 behind its version")
	}
	const head = 8 + 2 + aes.BlockSize + 2
	switch {
	case len(raw) < head+aes.BlockSize:
		return 0, nil, nil, errors.New("the token is cut off")
	case binary.BigEndian.Uint16(raw[8:]) != aes.BlockSize:
		return 0, nil, nil, fmt.Errorf("the token's initialisation vector has not %d bytes", aes.BlockSize)
	}
	iv, ct = raw[10:10+aes.BlockSize], raw[head:]
	if int(binary.BigEndian.Uint16(raw[head-2:])) != len(ct) || len(ct)%aes.BlockSize != 0 {
		return 0, nil, nil, errors.New("the length of the token's content does not fit")
	}
	return int64(binary.BigEndian.Uint64(raw)), iv, ct, nil
}

// decrypt04 opens the inner layer; ct is overwritten. The plaintext must be
// UTF-8 although encoding/json would mend it: without a MAC, a block that
// decrypts to noise is the trace of an altered token.
func decrypt04(secret string, iv, ct []byte) (plain04, error) {
	var p plain04
	block, err := aes.NewCipher([]byte(secret))
	if err != nil {
		return p, err
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(ct, ct)
	text, ok := unpad(ct)
	if !ok || !utf8.Valid(text) || !bytes.HasPrefix(text, []byte("{")) {
		return p, errUnreadable
	}
	return p, json.Unmarshal(text, &p)
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

// jsonInt is an integer as any JSON library may write it: 1, 1.0, 1e9.
type jsonInt int64

// UnmarshalJSON refuses fractions, strings, null, and what a float64 cannot hold
// exactly.
func (n *jsonInt) UnmarshalJSON(data []byte) error {
	text := string(data)
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		*n = jsonInt(i)
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return fmt.Errorf("%s is not an integer", text)
	}
	*n = jsonInt(f)
	return nil
}

// Generate04 makes a token04 that ends ttl from now, in whole seconds. random
// gives the initialisation vector and the nonce: crypto/rand.Reader. Errors are
// CodeInvalidParam for bad input and CodeInternal when random fails.
func Generate04(app chat.AppID, user, secret string, ttl time.Duration, now time.Time, random io.Reader) (string, error) {
	if err := checkCreate(app, user, secret, ttl); err != nil {
		return "", err
	}
	iv, nonce, err := salt04(random)
	if err != nil {
		return "", chat.Errorf(chat.CodeInternal, opCreate, "no randomness: %w", err)
	}
	expire := now.Unix() + int64(ttl/time.Second)
	text, err := json.Marshal(plain04{
		AppID: jsonInt(app), UserID: user, Nonce: jsonInt(nonce),
		CTime: jsonInt(now.Unix()), Expire: jsonInt(expire), Payload: json.RawMessage(`""`),
	})
	if err != nil {
		return "", chat.Errorf(chat.CodeInternal, opCreate, "encode: %w", err)
	}
	block, err := aes.NewCipher([]byte(secret))
	if err != nil {
		return "", chat.Errorf(chat.CodeInternal, opCreate, "cipher: %w", err)
	}
	n := aes.BlockSize - len(text)%aes.BlockSize
	text = append(text, bytes.Repeat([]byte{byte(n)}, n)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(text, text)

	raw := binary.BigEndian.AppendUint64(nil, uint64(expire))
	raw = append(binary.BigEndian.AppendUint16(raw, uint16(len(iv))), iv...)
	raw = append(binary.BigEndian.AppendUint16(raw, uint16(len(text))), text...)
	return prefix04 + base64.StdEncoding.EncodeToString(raw), nil
}

// salt04 draws an initialisation vector of 16 digits and small letters, as the
// published generators do, and a nonce.
func salt04(random io.Reader) (iv []byte, nonce int32, err error) {
	const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
	const fair = 256 - 256%len(alphabet) // above it some letters would come up more often
	in := bufio.NewReaderSize(random, 64)
	for len(iv) < aes.BlockSize {
		b, err := in.ReadByte()
		if err != nil {
			return nil, 0, err
		}
		if int(b) < fair {
			iv = append(iv, alphabet[int(b)%len(alphabet)])
		}
	}
	err = binary.Read(in, binary.BigEndian, &nonce)
	return iv, nonce, err
}

package auth

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/parley-im/parley/chat"
)

// The layout of a token04, integers big-endian:
//
//	"04" + base64( expire int64 | nonceLen uint16 | nonce | ctLen uint16 | ct | mode uint8 )
//
// mode 1 is AES-256-GCM with a nonce of 12 bytes, its tag at the end of ct. Mode
// 0, or no mode at all as in the oldest generators, is AES-256-CBC with PKCS #5
// padding and an initialisation vector of 16 bytes. The key is the secret's 32
// characters; the plaintext is the JSON object in plain04.
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
	sealed, err := split04(token[2:])
	if err != nil {
		return Claims{}, invalid("%w", err)
	}
	p, err := sealed.open(a)
	if err != nil {
		return Claims{}, invalid("%w", err)
	}
	if int64(p.Expire) != sealed.expire {
		return Claims{}, invalid("%w", errUnreadable)
	}
	c := Claims{UserID: p.UserID, ExpiresAt: time.Unix(sealed.expire, 0)}
	if p.AppID >= 0 && p.AppID <= math.MaxUint32 {
		c.AppID = chat.AppID(p.AppID)
	}
	return c, nil
}

// sealed04 is the outer layer of a token04. Nothing in it is to be trusted.
type sealed04 struct {
	expire    int64 // Unix seconds
	nonce, ct []byte
	gcm       bool
}

const (
	gcmNonceBytes = 12
	gcmTagBytes   = 16

	modeCBC, modeGCM = 0, 1
)

// split04 takes the outer layer apart; nonce and ct fit their cipher.
func split04(encoded string) (sealed04, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return sealed04{}, errors.New("the token is not base64 after its version")
	}
	cutOff := errors.New("the token is cut off")
	if len(raw) < 8 {
		return sealed04{}, cutOff
	}
	s := sealed04{expire: int64(binary.BigEndian.Uint64(raw))}
	rest, ok := raw[8:], false
	if s.nonce, rest, ok = cut16(rest); !ok {
		return sealed04{}, cutOff
	}
	if s.ct, rest, ok = cut16(rest); !ok {
		return sealed04{}, cutOff
	}
	switch {
	case len(rest) == 1 && rest[0] == modeGCM:
		s.gcm = true
	case len(rest) > 1 || len(rest) == 1 && rest[0] != modeCBC:
		return sealed04{}, errors.New("the token does not end where its lengths say, or has a mode other than 0 and 1")
	}
	if fits := s.gcm && len(s.nonce) == gcmNonceBytes && len(s.ct) > gcmTagBytes ||
		!s.gcm && len(s.nonce) == aes.BlockSize && len(s.ct) > 0 && len(s.ct)%aes.BlockSize == 0; !fits {
		return sealed04{}, errors.New("the token's lengths do not fit its cipher")
	}
	return s, nil
}

// cut16 takes a field off that begins with its length in two bytes.
func cut16(raw []byte) (field, rest []byte, ok bool) {
	if len(raw) < 2 {
		return nil, nil, false
	}
	n := int(binary.BigEndian.Uint16(raw))
	if len(raw) < 2+n {
		return nil, nil, false
	}
	return raw[2 : 2+n], raw[2+n:], true
}

// open decrypts the inner layer, which is overwritten, if the app takes tokens
// of this form.
func (s sealed04) open(a App) (p plain04, err error) {
	var text []byte
	switch {
	case s.gcm && !a.accepts(Kind04GCM):
		return p, fmt.Errorf("app %d takes no token04 in GCM form", a.ID)
	case !s.gcm && !a.AcceptsCBC():
		return p, fmt.Errorf("app %d takes no token04 in CBC form, which has no MAC; make it with AES-256-GCM and mode 1, or make a JWT", a.ID)
	case s.gcm:
		text, err = a.openGCM(s.nonce, s.ct)
	default:
		text, err = a.openCBC(s.nonce, s.ct)
	}
	if err != nil || !bytes.HasPrefix(text, []byte("{")) || json.Unmarshal(text, &p) != nil {
		return plain04{}, errUnreadable
	}
	return p, nil
}

func (a App) openGCM(nonce, ct []byte) ([]byte, error) {
	sealer, err := gcm04(a.Secret)
	if err != nil {
		return nil, err
	}
	return sealer.Open(ct[:0], nonce, ct, nil)
}

func gcm04(secret string) (cipher.AEAD, error) {
	block, err := aes.NewCipher([]byte(secret))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
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

// Generate04 makes a token04 in the GCM form that ends ttl from now, in whole
// seconds. random gives the two nonces: crypto/rand.Reader. Errors are
// CodeInvalidParam for bad input and CodeInternal when random fails.
func Generate04(app chat.AppID, user, secret string, ttl time.Duration, now time.Time, random io.Reader) (string, error) {
	if err := checkCreate(app, user, secret, ttl); err != nil {
		return "", err
	}
	if len(secret) != SecretBytes {
		return "", chat.Errorf(chat.CodeInvalidParam, opCreate, "the secret has %d bytes; exactly %d are allowed", len(secret), SecretBytes)
	}
	var salt [gcmNonceBytes + 4]byte
	if _, err := io.ReadFull(random, salt[:]); err != nil {
		return "", chat.Errorf(chat.CodeInternal, opCreate, "no randomness: %w", err)
	}
	expire := now.Unix() + int64(ttl/time.Second)
	text, err := json.Marshal(plain04{
		AppID: jsonInt(app), UserID: user, Nonce: jsonInt(int32(binary.BigEndian.Uint32(salt[gcmNonceBytes:]))),
		CTime: jsonInt(now.Unix()), Expire: jsonInt(expire), Payload: json.RawMessage(`""`),
	})
	if err != nil {
		return "", chat.Errorf(chat.CodeInternal, opCreate, "encode: %w", err)
	}
	sealer, err := gcm04(secret)
	if err != nil {
		return "", chat.Errorf(chat.CodeInternal, opCreate, "cipher: %w", err)
	}
	nonce := salt[:gcmNonceBytes]
	ct := sealer.Seal(nil, nonce, text, nil)

	raw := binary.BigEndian.AppendUint64(nil, uint64(expire))
	raw = append(binary.BigEndian.AppendUint16(raw, uint16(len(nonce))), nonce...)
	raw = append(binary.BigEndian.AppendUint16(raw, uint16(len(ct))), ct...)
	return prefix04 + base64.StdEncoding.EncodeToString(append(raw, modeGCM)), nil
}

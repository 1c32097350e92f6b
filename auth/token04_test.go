package auth_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
)

// knownToken was made without this package: openssl enc -aes-256-cbc over
// {"app_id":1234567890,"user_id":"alice","nonce":-42,"ctime":1799996400,
// "expire":1800000000,"payload":""} with the IV "abcdefghij012345".
const knownToken = "04AAAAAGtJ0gAAEGFiY2RlZmdoaWowMTIzNDUAcFRkej1WVYdMkPrVS8wvzXWo88Lg3Q6COtXb8Ca/pWQHFT+6MYjXewwC4N/Kgjv8TAZz" +
	"1uZz7zH+JLwixR3mUxJ96DVmJ5BsJwSQGVrVNSU87XTKLbKNNRR8D+ERD4lCNa3R+L8cKpq4dtCD2HAb31A="

const expire = 1_800_000_000

// knownGCM was made without this package, by another language's library over the
// same plaintext, with the nonce "abcdefghij01".
const knownGCM = "04AAAAAGtJ0gAADGFiY2RlZmdoaWowMQB3Lff+j52aZ4cfLTAXA0Fo4YU/wXrELRJjB6J6qR2+cq0yRQUg651K9fB3Y/zcsm3" +
	"jhPoPKEUi2L5nY6Y9Cp2cvR0AxcxTaxMnyhAMpWgAGBqt0+PNYrP96sLjduev0WLItNW120XOeyv+N6mon6GA81KaJWfEE6cB"

// cbc is a verifier that takes the CBC form.
func cbc(t testing.TB) *auth.Verifier {
	t.Helper()
	return verifier(t, auth.App{ID: app, Secret: secret, Tokens: []auth.Kind{auth.Kind04CBC}})
}

func gcm() cipher.AEAD {
	block, err := aes.NewCipher([]byte(secret))
	if err != nil {
		panic(err)
	}
	sealer, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return sealer
}

// forge writes a token04 in CBC form step by step, so that a test can get any step wrong.
type forge struct {
	expire  int64
	iv      []byte
	plain   []byte // as encrypted, padding included
	tail    []byte // after the ciphertext
	ivLen   uint16
	ctExtra int // added to the stated length
}

func genuine(plain string) forge {
	return forge{expire: expire, iv: []byte("abcdefghij012345"), plain: pad([]byte(plain)), ivLen: 16}
}

func pad(b []byte) []byte {
	n := 16 - len(b)%16
	return append(b, bytes.Repeat([]byte{byte(n)}, n)...)
}

func (f forge) token() string {
	block, err := aes.NewCipher([]byte(secret))
	if err != nil {
		panic(err)
	}
	ct := make([]byte, len(f.plain))
	cipher.NewCBCEncrypter(block, f.iv).CryptBlocks(ct, f.plain)
	raw := binary.BigEndian.AppendUint64(nil, uint64(f.expire))
	raw = binary.BigEndian.AppendUint16(raw, f.ivLen)
	raw = append(raw, f.iv...)
	raw = binary.BigEndian.AppendUint16(raw, uint16(len(ct)+f.ctExtra))
	raw = append(append(raw, ct...), f.tail...)
	return "04" + base64.StdEncoding.EncodeToString(raw)
}

func TestATokenMadeElsewhereIsRead(t *testing.T) {
	want := auth.Claims{AppID: app, UserID: user, ExpiresAt: time.Unix(expire, 0)}
	for _, form := range []struct {
		v     *auth.Verifier
		token string
	}{{cbc(t), knownToken}, {verifier(t), knownGCM}} {
		if c, err := form.v.Verify(form.token, app, user, now); err != nil || c != want {
			t.Errorf("got %+v, %v", c, err)
		}
	}
}

func TestAGeneratedTokenHasTheDocumentedBytes(t *testing.T) {
	token, err := auth.Generate04(app, user, secret, time.Hour, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(token, "04"))
	if err != nil {
		t.Fatal(err)
	}
	nonce, ct, mode := raw[10:22], raw[24:len(raw)-1], raw[len(raw)-1]
	if got := binary.BigEndian.Uint64(raw); got != expire {
		t.Errorf("expire is %d", got)
	}
	if n, m := binary.BigEndian.Uint16(raw[8:]), binary.BigEndian.Uint16(raw[22:]); n != 12 || int(m) != len(ct) || mode != 1 {
		t.Errorf("lengths are %d and %d, the mode %d", n, m, mode)
	}
	text, err := gcm().Open(nil, nonce, ct, nil)
	head := fmt.Sprintf(`{"app_id":%d,"user_id":"alice","nonce":`, app)
	tail := fmt.Sprintf(`,"ctime":%d,"expire":%d,"payload":""}`, now.Unix(), expire)
	if err != nil || !strings.HasPrefix(string(text), head) || !strings.HasSuffix(string(text), tail) {
		t.Errorf("the plaintext is %s, %v", text, err)
	}
}

func TestTwoTokensOfTheSameSecondDiffer(t *testing.T) {
	a, errA := auth.Generate04(app, user, secret, time.Hour, now, rand.Reader)
	b, errB := auth.Generate04(app, user, secret, time.Hour, now, rand.Reader)
	if errA != nil || errB != nil || a == b {
		t.Errorf("%v, %v, equal: %v", errA, errB, a == b)
	}
}

func TestWithoutRandomnessNoTokenIsMade(t *testing.T) {
	broken := iotest.ErrReader(errors.New("dry"))
	for _, source := range []struct {
		name string
		gen  func() (string, error)
	}{
		{"none", func() (string, error) { return auth.Generate04(app, user, secret, time.Hour, now, broken) }},
		{"too little", func() (string, error) {
			return auth.Generate04(app, user, secret, time.Hour, now, bytes.NewReader(make([]byte, 15)))
		}},
	} {
		if token, err := source.gen(); token != "" || chat.CodeOf(err) != chat.CodeInternal {
			t.Errorf("%s: %q, %v", source.name, token, err)
		}
	}
}

func TestIntegersAreReadInEveryJSONSpelling(t *testing.T) {
	const form = `{"app_id":%s,"user_id":"alice","nonce":%s,"ctime":0,"expire":%s,"payload":{"room_id":"r"}}`
	cases := []struct {
		app, nonce, expire string
		want               chat.Code
	}{
		{"1234567890", "1", "1800000000", 0},
		{"1234567890.0", "-1.0", "1.8e9", 0},
		{"1.23456789E9", "1e0", "1800000000.000", 0},
		{"12345678900e-1", "0", "18e8", 0},
		{"1234567890.5", "1", "1800000000", chat.CodeTokenInvalid},
		{`"1234567890"`, "1", "1800000000", chat.CodeTokenInvalid},
		{"1234567890", "null", "1800000000", chat.CodeTokenInvalid},
		{"1234567890", "1e999999999", "1800000000", chat.CodeTokenInvalid},
		{"1234567890", "1", "1800000001", chat.CodeTokenInvalid},
		{"1234567890", "1", `"1800000000"`, chat.CodeTokenInvalid},
		{"0x499602d2", "1", "1800000000", chat.CodeTokenInvalid},
		{"5529535186", "1", "1800000000", chat.CodeTokenInvalid}, // equal modulo 2^32
		{"-3060399406", "1", "1800000000", chat.CodeTokenInvalid},
	}
	for _, c := range cases {
		t.Run(c.app+" "+c.nonce+" "+c.expire, func(t *testing.T) {
			expect(t, cbc(t), genuine(fmt.Sprintf(form, c.app, c.nonce, c.expire)).token(), c.want)
		})
	}
}

func TestAWrongLayoutIsInvalidHoweverGoodTheContent(t *testing.T) {
	const good = `{"app_id":1234567890,"user_id":"alice","nonce":1,"ctime":0,"expire":1800000000,"payload":""}`
	cases := []struct {
		name   string
		change func(f *forge)
		want   chat.Code
	}{
		{"nothing wrong", func(*forge) {}, 0},
		{"outer expiry later", func(f *forge) { f.expire++ }, chat.CodeTokenInvalid},
		{"outer expiry far in the past", func(f *forge) { f.expire = 1 }, chat.CodeTokenInvalid},
		{"outer expiry at the end of time", func(f *forge) { f.expire = 1<<63 - 1 }, chat.CodeTokenInvalid},
		{"another IV length", func(f *forge) { f.ivLen = 12 }, chat.CodeTokenInvalid},
		{"longer than it says", func(f *forge) { f.tail = []byte("x") }, chat.CodeTokenInvalid},
		{"shorter than it says", func(f *forge) { f.ctExtra = 16 }, chat.CodeTokenInvalid},
		{"no padding", func(f *forge) { f.plain = append([]byte(good), ' ', ' ', ' ', ' ')[:96] }, chat.CodeTokenInvalid},
		{"padding 0", func(f *forge) { f.plain[len(f.plain)-1] = 0 }, chat.CodeTokenInvalid},
		{"padding 17", func(f *forge) { f.plain[len(f.plain)-1] = 17 }, chat.CodeTokenInvalid},
		{"uneven padding", func(f *forge) { f.plain[len(f.plain)-2] ^= 1 }, chat.CodeTokenInvalid},
		{"empty plaintext", func(f *forge) { f.plain = pad(nil) }, chat.CodeTokenInvalid},
		{"JSON of another kind", func(f *forge) { f.plain = pad([]byte(`[1]`)) }, chat.CodeTokenInvalid},
		{"null", func(f *forge) { f.plain = pad([]byte(`null`)) }, chat.CodeTokenInvalid},
		{"two objects", func(f *forge) { f.plain = pad([]byte(good + good)) }, chat.CodeTokenInvalid},
		{"bad UTF-8", func(f *forge) { f.plain = pad([]byte(strings.Replace(good, `""`, "\"\xff\"", 1))) }, chat.CodeTokenInvalid},
		{"no expiry inside", func(f *forge) { f.plain = pad([]byte(`{"app_id":1234567890,"user_id":"alice"}`)) }, chat.CodeTokenInvalid},
		{"no app inside", func(f *forge) { f.plain = pad([]byte(`{"user_id":"alice","expire":1800000000}`)) }, chat.CodeTokenInvalid},
		{"mode 0 at the end", func(f *forge) { f.tail = []byte{0} }, 0},
		{"mode 1 at the end", func(f *forge) { f.tail = []byte{1} }, chat.CodeTokenInvalid},
		{"mode 2 at the end", func(f *forge) { f.tail = []byte{2} }, chat.CodeTokenInvalid},
		{"user of another type", func(f *forge) { f.plain = pad([]byte(strings.Replace(good, `"alice"`, `7`, 1))) }, chat.CodeTokenInvalid},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := genuine(good)
			c.change(&f)
			expect(t, cbc(t), f.token(), c.want)
		})
	}
}

func TestAnAppWithoutSecretTakesNoToken04(t *testing.T) {
	v := verifier(t, auth.App{ID: app, Keys: []ed25519.PublicKey{make(ed25519.PublicKey, 32)}})
	expect(t, v, knownToken, chat.CodeTokenInvalid)
}

func TestATokenCutAnywhereIsRefused(t *testing.T) {
	v := verifier(t, auth.App{ID: app, Secret: secret, Tokens: []auth.Kind{auth.Kind04GCM, auth.Kind04CBC}})
	for _, token := range []string{knownToken, knownGCM} {
		for i := range len(token) {
			if _, err := v.Verify(token[:i], app, user, now); chat.CodeOf(err) != chat.CodeTokenInvalid {
				t.Errorf("cut to %d: %v", i, err)
			}
		}
	}
}

// flip calls f with a token for every bit that may be turned.
func flip(t *testing.T, token string, f func(bit int, changed string)) {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(token[2:])
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(raw) * 8 {
		changed := bytes.Clone(raw)
		changed[bit/8] ^= 1 << (bit % 8)
		f(bit, "04"+base64.StdEncoding.EncodeToString(changed))
	}
}

func TestNoBitOfAnAuthenticatedTokenMayBeFlipped(t *testing.T) {
	v := verifier(t, auth.App{ID: app, Secret: secret, Tokens: auth.Kinds()[1:]})
	flip(t, knownGCM, func(bit int, changed string) {
		if c, err := v.Verify(changed, app, user, now); err == nil {
			t.Errorf("bit %d: let in as %+v", bit, c)
		}
	})
}

func TestNoFlippedBitMakesAnotherIdentity(t *testing.T) {
	v := cbc(t)
	flip(t, knownToken, func(bit int, changed string) {
		for _, who := range []string{"bob", "alicd", "alhce", "amice"} {
			if c, err := v.Verify(changed, app, who, now); err == nil {
				t.Errorf("bit %d: %s got in as %+v", bit, who, c)
			}
		}
	})
}

func TestWhateverIsGeneratedIsAccepted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := chat.AppID(rapid.Uint32Min(1).Draw(t, "app"))
		who := rapid.StringMatching(`[a-zA-Z0-9!#$%&()+\-:;<=.>?@\[\]^_{}|~]{1,32}`).Draw(t, "user")
		key := rapid.StringMatching(`[!-~]{32}`).Draw(t, "secret")
		ttl := time.Duration(rapid.Int64Range(30, int64(auth.MaxValidity/time.Second)).Draw(t, "ttl")) * time.Second
		at := time.Unix(rapid.Int64Range(0, 1<<34).Draw(t, "now"), 0)
		v, err := auth.NewVerifier([]auth.App{{ID: id, Secret: key}})
		if err != nil {
			t.Fatal(err)
		}
		token, err := auth.Generate04(id, who, key, ttl, at, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := auth.GenerateJWT(id, who, key, ttl, at)
		if err != nil {
			t.Fatal(err)
		}
		want := auth.Claims{AppID: id, UserID: who, ExpiresAt: at.Add(ttl)}
		for _, tok := range []string{token, signed} {
			if c, err := v.Verify(tok, id, who, at); err != nil || c != want {
				t.Fatalf("got %+v, %v, want %+v", c, err, want)
			}
			if _, err := v.Verify(tok, id, who, at.Add(ttl)); chat.CodeOf(err) != chat.CodeTokenExpired {
				t.Fatalf("at its end: %v", err)
			}
		}
	})
}

// FuzzVerify04 looks for a panic, an undocumented outcome, and a token that was
// not made with the secret and yet opens the door.
func FuzzVerify04(f *testing.F) {
	f.Add(knownToken, false)
	f.Add(knownGCM, false)
	f.Add("03AAAA", false)
	f.Add(`{"app_id":1.23456789e9,"user_id":"alice","expire":1800000000}`, true)
	f.Add(`{"app_id":1234567890,"user_id":"alice","nonce":1e3,"expire":18e8,"payload":{}}`, true)
	f.Fuzz(func(t *testing.T, text string, encrypt bool) {
		token := text
		if encrypt {
			token = genuine(text).token()
		}
		v := verifier(t, auth.App{ID: app, Secret: secret, Tokens: []auth.Kind{auth.Kind04GCM, auth.Kind04CBC}})
		c, err := v.Verify(token, app, user, now)
		switch chat.CodeOf(err) {
		case 0:
			if c.AppID != app || c.UserID != user || c.ExpiresAt != time.Unix(expire, 0) {
				t.Fatalf("claims %+v", c)
			}
			if !encrypt && token != knownToken && token != knownGCM {
				t.Fatalf("%q was accepted", token)
			}
		case chat.CodeTokenInvalid, chat.CodeTokenVersion, chat.CodeLoginRefused, chat.CodeTokenExpired, chat.CodeTokenTooShort:
		default:
			t.Fatalf("undocumented outcome: %v", err)
		}
	})
}

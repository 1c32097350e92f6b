package auth_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
)

func keyPair(t *testing.T) (ed25519.PublicKey, ed25519.PrivateKey) {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return pub, priv
}

// sign makes a JWT with good claims for alice, changed by over (nil removes).
func sign(t *testing.T, m jwt.SigningMethod, key any, over map[string]any, header ...string) string {
	t.Helper()
	claims := jwt.MapClaims{"iss": "1234567890", "sub": user, "iat": now.Unix(), "exp": now.Unix() + 3600}
	maps.Copy(claims, over)
	for k, v := range over {
		if v == nil {
			delete(claims, k)
		}
	}
	token := jwt.NewWithClaims(m, claims)
	for _, h := range header {
		token.Header[h] = []string{"exp"}
	}
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestTheKeyMustMatchTheAlgorithm(t *testing.T) {
	pub, priv := keyPair(t)
	old, oldPriv := keyPair(t)
	_, foreign := keyPair(t)
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	both := verifier(t, auth.App{ID: app, Secret: secret, Keys: []ed25519.PublicKey{pub, old}})
	keysOnly := verifier(t, auth.App{ID: app, Keys: []ed25519.PublicKey{pub}})
	secretOnly := verifier(t)
	ed, hs := jwt.SigningMethodEdDSA, jwt.SigningMethodHS256
	cases := []struct {
		name  string
		v     *auth.Verifier
		token string
		want  chat.Code
	}{
		{"HS256 with the secret", both, sign(t, hs, []byte(secret), nil), 0},
		{"EdDSA with the first key", both, sign(t, ed, priv, nil), 0},
		{"EdDSA with a key being rolled", both, sign(t, ed, oldPriv, nil), 0},
		{"EdDSA without secret", keysOnly, sign(t, ed, priv, nil), 0},
		{"EdDSA with a foreign key", both, sign(t, ed, foreign, nil), chat.CodeTokenInvalid},
		{"EdDSA where only a secret is known", secretOnly, sign(t, ed, priv, nil), chat.CodeTokenInvalid},
		{"HS256 where only keys are known", keysOnly, sign(t, hs, []byte(secret), nil), chat.CodeTokenInvalid},
		{"HS256 with the public key as secret", both, sign(t, hs, []byte(pub), nil), chat.CodeTokenInvalid},
		{"HS256 with the PEM as secret", keysOnly, sign(t, hs, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil), chat.CodeTokenInvalid},
		{"HS256 with an empty secret", keysOnly, sign(t, hs, []byte{}, nil), chat.CodeTokenInvalid},
		{"HS512 with the secret", both, sign(t, jwt.SigningMethodHS512, []byte(secret), nil), chat.CodeTokenInvalid},
		{"none", both, sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil), chat.CodeTokenInvalid},
		{"crit", both, sign(t, hs, []byte(secret), nil, "crit"), chat.CodeTokenInvalid},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { expect(t, c.v, c.token, c.want) })
	}
}

func TestTheClaimsOfAJWTAreHeldTo(t *testing.T) {
	cases := []struct {
		name string
		over map[string]any
		want chat.Code
	}{
		{"as they should be", nil, 0},
		{"iat missing", map[string]any{"iat": nil}, 0},
		{"an audience", map[string]any{"aud": "somebody"}, 0},
		{"exp with a fraction", map[string]any{"exp": 1_800_000_000.5}, 0},
		{"exp missing", map[string]any{"exp": nil}, chat.CodeTokenInvalid},
		{"exp a word", map[string]any{"exp": "soon"}, chat.CodeTokenInvalid},
		{"exp far ahead", map[string]any{"exp": 1 << 50}, chat.CodeLoginRefused},
		{"sub missing", map[string]any{"sub": nil}, chat.CodeLoginRefused},
		{"sub another user", map[string]any{"sub": "bob"}, chat.CodeLoginRefused},
		{"sub a number", map[string]any{"sub": 1}, chat.CodeTokenInvalid},
		{"iss missing", map[string]any{"iss": nil}, chat.CodeLoginRefused},
		{"iss another app", map[string]any{"iss": "1234567891"}, chat.CodeLoginRefused},
		{"iss with a zero in front", map[string]any{"iss": "01234567890"}, chat.CodeLoginRefused},
		{"iss with a sign", map[string]any{"iss": "+1234567890"}, chat.CodeLoginRefused},
		{"iss a number", map[string]any{"iss": 1234567890}, chat.CodeTokenInvalid},
		{"nbf past", map[string]any{"nbf": now.Unix() - 1}, 0},
		{"nbf within the leeway", map[string]any{"nbf": now.Unix() + 300}, 0},
		{"nbf ahead", map[string]any{"nbf": now.Unix() + 301}, chat.CodeLoginRefused},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			expect(t, verifier(t), sign(t, jwt.SigningMethodHS256, []byte(secret), c.over), c.want)
		})
	}
}

func TestAJWTAlteredAnywhereIsInvalid(t *testing.T) {
	v := verifier(t)
	good := sign(t, jwt.SigningMethodHS256, []byte(secret), nil)
	for i := range good {
		if good[i] == '.' {
			continue
		}
		other := byte('A')
		if good[i] == other {
			other = 'B'
		}
		if _, err := v.Verify(good[:i]+string(other)+good[i+1:], app, user, now); err == nil {
			t.Fatalf("byte %d may be changed", i)
		}
	}
}

func TestPublicKeysAreReadAsPEMAndBase64(t *testing.T) {
	const opensslPEM = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAHJiMehDGu9xrNcgTc3KeNtSciKA10eKwmfb756/E+8=\n-----END PUBLIC KEY-----\n"
	const opensslRaw = "AHJiMehDGu9xrNcgTc3KeNtSciKA10eKwmfb756/E+8="
	want, err := base64.StdEncoding.DecodeString(opensslRaw)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		opensslPEM, "\n  " + opensslPEM, opensslRaw, " " + opensslRaw + "\n", strings.TrimRight(opensslRaw, "="),
		strings.ReplaceAll(opensslRaw, "/", "_"),
	} {
		if key, err := auth.ParsePublicKey(text); err != nil || !ed25519.PublicKey(want).Equal(key) {
			t.Errorf("%q: %x, %v", text, key, err)
		}
	}
	const p256 = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOGiZPVgJNdfZA72p+nnSo9rzaWSv\n" +
		"zr5RS1+B3S27qFgdKN+F+qNuq9j+rMl2gTFrUGKHnNmFrVHEGyK9TaXlXQ==\n-----END PUBLIC KEY-----\n"
	for _, text := range []string{"", "AAAA", "no key", opensslRaw + opensslRaw, p256, strings.Replace(opensslPEM, "MCow", "MCox", 1)} {
		if key, err := auth.ParsePublicKey(text); err == nil {
			t.Errorf("%q gave %x", text, key)
		}
	}
}

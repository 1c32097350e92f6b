package auth_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
)

// userFirst is the plaintext as generators write it that take the order of a
// hash map.
const userFirst = `{"user_id":"%s","payload":"","expire":1800000000,"ctime":1799996400,"app_id":1234567890,"nonce":7}`

// swapUser turns the user ID in the first block of a CBC token into another of
// its length, with nothing but the token.
func swapUser(t *testing.T, token, from, to string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(token[2:])
	if err != nil {
		t.Fatal(err)
	}
	a, b := fmt.Sprintf(userFirst, from), fmt.Sprintf(userFirst, to)
	for i := range 16 {
		raw[10+i] ^= a[i] ^ b[i]
	}
	return "04" + base64.StdEncoding.EncodeToString(raw)
}

func TestAHolderCannotMakeHisTokenAnotherUsers(t *testing.T) {
	opted := verifier(t, auth.App{ID: app, Secret: secret, Tokens: []auth.Kind{auth.Kind04CBCAnyOrder}})
	for _, c := range [][2]string{{"bob", "amy"}, {"1001", "9999"}, {"10000123", "20000123"}} {
		own := genuine(fmt.Sprintf(userFirst, c[0])).token()
		forged := swapUser(t, own, c[0], c[1])
		for name, v := range map[string]*auth.Verifier{"default": verifier(t), "with CBC": cbc(t)} {
			for _, token := range []string{own, forged} {
				for _, who := range c {
					if got, err := v.Verify(token, app, who, now); chat.CodeOf(err) != chat.CodeTokenInvalid {
						t.Errorf("%s: %s got %+v, %v", name, who, got, err)
					}
				}
			}
		}
		// What an app lets itself in for that takes any order.
		if _, err := opted.Verify(forged, app, c[1], now); err != nil {
			t.Errorf("the forgery does not show what the rule is for: %v", err)
		}
	}
}

func TestAFirstBlockThatIsTheHoldersOwnNamesNobody(t *testing.T) {
	// As much as fits into 16 bytes beside the app ID that must come first.
	for _, block := range []string{`{"app_id":1,"":"`, `{"app_id":1     `, `{"app_id":1,"a":`} {
		rest := fmt.Sprintf(userFirst, "10000123")[16:]
		if v, err := auth.NewVerifier([]auth.App{{ID: 1, Secret: secret, Tokens: []auth.Kind{auth.Kind04CBC}}}); err != nil {
			t.Fatal(err)
		} else if c, err := v.Verify(genuine(block+rest).token(), 1, "10000123", now); err == nil {
			t.Errorf("%s let %+v in", block, c)
		}
	}
}

func TestAnAppTakesTheKindsThatItNames(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const own = "a secret of its own for signatures"
	tokens := map[auth.Kind]string{
		auth.KindJWT: sign(t, jwt.SigningMethodEdDSA, key, nil), auth.Kind04GCM: knownGCM, auth.Kind04CBC: knownToken,
		auth.Kind04CBCAnyOrder: genuine(fmt.Sprintf(userFirst, user)).token(),
	}
	for _, c := range []struct{ named, taken []auth.Kind }{
		{nil, []auth.Kind{auth.KindJWT, auth.Kind04GCM}},
		{[]auth.Kind{auth.KindJWT}, []auth.Kind{auth.KindJWT}},
		{[]auth.Kind{auth.Kind04GCM}, []auth.Kind{auth.Kind04GCM}},
		{[]auth.Kind{auth.Kind04CBC}, []auth.Kind{auth.Kind04CBC}},
		{[]auth.Kind{auth.Kind04CBCAnyOrder}, []auth.Kind{auth.Kind04CBC, auth.Kind04CBCAnyOrder}},
		{auth.Kinds(), auth.Kinds()},
	} {
		v := verifier(t, auth.App{ID: app, Secret: secret, JWTSecret: own, Keys: []ed25519.PublicKey{key.Public().(ed25519.PublicKey)}, Tokens: c.named})
		for kind, token := range tokens {
			want := chat.CodeTokenInvalid
			for _, k := range c.taken {
				if k == kind {
					want = 0
				}
			}
			if _, err := v.Verify(token, app, user, now); chat.CodeOf(err) != want {
				t.Errorf("%v, a %s: %v, want %d", c.named, kind, err, want)
			}
		}
	}
}

func TestHS256HasASecretOfItsOwnBesideCBC(t *testing.T) {
	const own = "a secret of its own for signatures"
	withOwn, err := auth.GenerateJWT(app, user, own, time.Hour, now)
	if err != nil {
		t.Fatal(err)
	}
	shared, err := auth.GenerateJWT(app, user, secret, time.Hour, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name            string
		app             auth.App
		shared, withOwn chat.Code
	}{
		{"no CBC", auth.App{Secret: secret}, 0, chat.CodeTokenInvalid},
		{"no CBC, a JWT secret", auth.App{Secret: secret, JWTSecret: own}, chat.CodeTokenInvalid, 0},
		{"only a JWT secret", auth.App{JWTSecret: own}, chat.CodeTokenInvalid, 0},
		{"CBC", auth.App{Secret: secret, JWTSecret: own, Tokens: auth.Kinds()}, chat.CodeTokenInvalid, 0},
	} {
		c.app.ID = app
		v := verifier(t, c.app)
		if _, err := v.Verify(shared, app, user, now); chat.CodeOf(err) != c.shared {
			t.Errorf("%s: the shared secret: %v", c.name, err)
		}
		if _, err := v.Verify(withOwn, app, user, now); chat.CodeOf(err) != c.withOwn {
			t.Errorf("%s: the JWT secret: %v", c.name, err)
		}
	}
}

func TestKindsThatCannotWorkAreRefused(t *testing.T) {
	key := make(ed25519.PublicKey, ed25519.PublicKeySize)
	for _, c := range []struct {
		name string
		app  auth.App
		part string
	}{
		{"unknown", auth.App{Secret: secret, Tokens: []auth.Kind{"token05"}}, `"token05"`},
		{"none", auth.App{Secret: secret, Tokens: []auth.Kind{}}, "accepts no token"},
		{"CBC and JWT under one secret", auth.App{Secret: secret, Tokens: []auth.Kind{auth.KindJWT, auth.Kind04CBC}}, "jwt_secret"},
		{"the same secret twice", auth.App{Secret: secret, JWTSecret: secret}, "make another"},
		{"a short JWT secret", auth.App{Secret: secret, JWTSecret: "short"}, "at least 32"},
		{"token04 without a secret", auth.App{Keys: []ed25519.PublicKey{key}, Tokens: []auth.Kind{auth.Kind04GCM}}, "no secret"},
	} {
		c.app.ID = 1
		if err := c.app.Check(); err == nil || !strings.Contains(err.Error(), c.part) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, good := range []auth.App{
		{Secret: secret, Keys: []ed25519.PublicKey{key}, Tokens: []auth.Kind{auth.KindJWT, auth.Kind04CBC}},
		{Keys: []ed25519.PublicKey{key}},
	} {
		good.ID = 1
		if err := good.Check(); err != nil {
			t.Error(err)
		}
	}
}

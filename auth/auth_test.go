package auth_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
)

const (
	app    = chat.AppID(1234567890)
	secret = "0123456789abcdef0123456789ABCDEF"
	user   = "alice"
)

// now is one hour before the expiry of the fixed token in token04_test.go.
var now = time.Unix(1_799_996_400, 0)

func verifier(t testing.TB, apps ...auth.App) *auth.Verifier {
	t.Helper()
	if apps == nil {
		apps = []auth.App{{ID: app, Secret: secret}}
	}
	v, err := auth.NewVerifier(apps)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// expect checks Verify's answer for alice at now: the code, or 0 for success.
func expect(t *testing.T, v *auth.Verifier, token string, want chat.Code) {
	t.Helper()
	c, err := v.Verify(token, app, user, now)
	if got := chat.CodeOf(err); got != want {
		t.Fatalf("got %d (%v), want %d", got, err, want)
	}
	if want == 0 && (c.AppID != app || c.UserID != user || !c.ExpiresAt.After(now)) {
		t.Errorf("claims are %+v", c)
	}
	if want != 0 && c != (auth.Claims{}) {
		t.Errorf("a refused token gave the claims %+v", c)
	}
	var typed *chat.Error
	if want != 0 && !errors.As(err, &typed) {
		t.Errorf("%T is no chat.Error", err)
	}
}

func TestBothKindsOfTokenObeyTheSameTimes(t *testing.T) {
	makers := map[string]func(ttl time.Duration, at time.Time) (string, error){
		"token04": func(ttl time.Duration, at time.Time) (string, error) {
			return auth.Generate04(app, user, secret, ttl, at, rand.Reader)
		},
		"JWT": func(ttl time.Duration, at time.Time) (string, error) {
			return auth.GenerateJWT(app, user, secret, ttl, at)
		},
	}
	cases := []struct {
		name string
		ttl  time.Duration
		made time.Time
		want chat.Code
	}{
		{"fresh", time.Hour, now, 0},
		{"longest", auth.MaxValidity, now, 0},
		{"longest, by a clock 5 min ahead", auth.MaxValidity, now.Add(5 * time.Minute), 0},
		{"beyond the longest", auth.MaxValidity, now.Add(5*time.Minute + time.Second), chat.CodeLoginRefused},
		{"30 s left", 30 * time.Second, now, 0},
		{"29 s left", 29 * time.Second, now, chat.CodeTokenTooShort},
		{"1 s left", time.Hour, now.Add(time.Second - time.Hour), chat.CodeTokenTooShort},
		{"just expired", time.Hour, now.Add(-time.Hour), chat.CodeTokenExpired},
		{"long expired", time.Hour, now.AddDate(-20, 0, 0), chat.CodeTokenExpired},
	}
	for kind, generate := range makers {
		for _, c := range cases {
			t.Run(kind+"/"+c.name, func(t *testing.T) {
				token, err := generate(c.ttl, c.made)
				if err != nil {
					t.Fatal(err)
				}
				expect(t, verifier(t), token, c.want)
			})
		}
	}
}

func TestATokenOpensOnlyTheAppAndUserItNames(t *testing.T) {
	other := auth.App{ID: 7, Secret: secret}
	stranger := auth.App{ID: 8, Secret: strings.Repeat("z", 32)}
	v := verifier(t, auth.App{ID: app, Secret: secret}, other, stranger)
	token04, err := auth.Generate04(app, user, secret, time.Hour, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := auth.GenerateJWT(app, user, secret, time.Hour, now)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name string
		app  chat.AppID
		user string
		want chat.Code
	}{
		{"the user", app, user, 0},
		{"another user", app, "bob", chat.CodeLoginRefused},
		{"the user in other case", app, "Alice", chat.CodeLoginRefused},
		{"nobody", app, "", chat.CodeLoginRefused},
		{"another app with the same secret", other.ID, user, chat.CodeLoginRefused},
		{"another app", stranger.ID, user, chat.CodeTokenInvalid},
		{"an app that is not there", 99, user, chat.CodeInvalidAppID},
	}
	for _, c := range cases {
		for kind, token := range map[string]string{"token04": token04, "JWT": signed} {
			if _, err := v.Verify(token, c.app, c.user, now); chat.CodeOf(err) != c.want {
				t.Errorf("%s, %s: %v, want %d", c.name, kind, err, c.want)
			}
		}
	}
}

func TestIdentityIsJudgedBeforeTime(t *testing.T) {
	for _, at := range []time.Time{now, now.Add(time.Hour - time.Second), now.Add(2 * time.Hour)} {
		_, err := verifier(t).Verify(knownGCM, app, "bob", at)
		if chat.CodeOf(err) != chat.CodeLoginRefused {
			t.Errorf("at %v: %v", at, err)
		}
	}
}

func TestTextThatIsNoTokenIsInvalid(t *testing.T) {
	v := verifier(t)
	for _, token := range []string{
		"", "0", "x", "token", "..", "a.b.c", "eyJ", "٠٤", "04", "04=", "0\x004",
		strings.Repeat("a", auth.MaxTokenBytes+1), "04" + strings.Repeat("A", auth.MaxTokenBytes),
	} {
		expect(t, v, token, chat.CodeTokenInvalid)
	}
	for _, token := range []string{"03", "03" + knownToken[2:], "05" + knownToken[2:], "00", "12.34.56"} {
		expect(t, v, token, chat.CodeTokenVersion)
	}
}

func TestNoTokenIsMadeThatWouldBeRefused(t *testing.T) {
	cases := []struct {
		name, user, secret string
		app                chat.AppID
		ttl                time.Duration
	}{
		{"app 0", user, secret, 0, time.Hour},
		{"no user", "", secret, app, time.Hour},
		{"user of 33 bytes", strings.Repeat("a", 33), secret, app, time.Hour},
		{"user with a space", "a b", secret, app, time.Hour},
		{"short secret", user, secret[1:], app, time.Hour},
		{"long secret", user, secret + "x", app, time.Hour},
		{"no secret", user, "", app, time.Hour},
		{"no time", user, secret, app, 0},
		{"negative time", user, secret, app, -time.Hour},
		{"less than a second", user, secret, app, time.Second - 1},
		{"more than 24 days", user, secret, app, auth.MaxValidity + time.Second},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			token, err := auth.Generate04(c.app, c.user, c.secret, c.ttl, now, rand.Reader)
			if token != "" || chat.CodeOf(err) != chat.CodeInvalidParam {
				t.Errorf("token04: %q, %v", token, err)
			}
			token, err = auth.GenerateJWT(c.app, c.user, c.secret, c.ttl, now)
			if len(c.secret) > auth.SecretBytes { // a JWT secret may be longer
				return
			}
			if token != "" || chat.CodeOf(err) != chat.CodeInvalidParam {
				t.Errorf("JWT: %q, %v", token, err)
			}
			if c.secret != "" && err != nil && strings.Contains(err.Error(), c.secret) {
				t.Errorf("the error tells the secret: %v", err)
			}
		})
	}
}

func TestAVerifierRefusesAppsItCouldNotServe(t *testing.T) {
	good := auth.App{ID: 1, Secret: secret}
	cases := []struct {
		name string
		apps []auth.App
		part string
	}{
		{"ID 0", []auth.App{{Secret: secret}}, "app ID 0"},
		{"no secret and no key", []auth.App{{ID: 1}}, "neither"},
		{"short secret", []auth.App{{ID: 1, Secret: "short"}}, "exactly 32"},
		{"twice", []auth.App{good, good}, "twice"},
		{"short key", []auth.App{{ID: 1, Keys: []ed25519.PublicKey{{1}}}}, "key 1"},
	}
	for _, c := range cases {
		if _, err := auth.NewVerifier(c.apps); err == nil || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestABearerTokenSaysWhoItsUserIs(t *testing.T) {
	v := verifier(t)
	jwtOf := func(id chat.AppID, ttl time.Duration) string {
		made, err := auth.GenerateJWT(id, "bob", secret, ttl, now)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	gcm, err := auth.Generate04(app, "bob", secret, time.Hour, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		token string
		app   chat.AppID
		at    time.Time
		code  chat.Code
	}{
		"a JWT that names its app":  {jwtOf(app, time.Hour), 0, now, 0},
		"the app beside it":         {jwtOf(app, time.Hour), app, now, 0},
		"a token04":                 {gcm, app, now, 0},
		"a token04 without its app": {gcm, 0, now, chat.CodeInvalidAppID},
		"another app beside it":     {jwtOf(app, time.Hour), app + 1, now, chat.CodeInvalidAppID},
		"an app that is not served": {jwtOf(app+1, time.Hour), 0, now, chat.CodeInvalidAppID},
		"of another app":            {jwtOf(app+1, time.Hour), app, now, chat.CodeLoginRefused},
		"expired":                   {jwtOf(app, time.Minute), 0, now.Add(time.Hour), chat.CodeTokenExpired},
		"garbage":                   {"a.b.c", 0, now, chat.CodeInvalidAppID},
	} {
		claims, err := v.VerifyBearer(c.token, c.app, c.at)
		if chat.CodeOf(err) != c.code || err == nil && (claims.AppID != app || claims.UserID != "bob") {
			t.Errorf("%s: %+v, %v", name, claims, err)
		}
	}
}

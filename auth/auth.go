// Package auth decides whether a token lets a user into an app. It reads the
// kinds that the app accepts: token04, which apps written for ZIM already make,
// and JWT; and it makes both, for `parley token`, the dev server and tests.
//
// It holds keys and arithmetic only: no clock (the caller gives the time), no
// I/O, no session. Connections call Verify at hello and at every renewal;
// nothing here blocks, and a Verifier may be used by many goroutines.
//
// A token04 in GCM form and a JWT are authenticated. A token04 in CBC form is not:
// an app accepts it only when its tokens name it (see Kind04CBC).
package auth

import (
	"crypto/ed25519"
	"fmt"
	"strings"
	"time"

	"github.com/parley-im/parley/chat"
)

// Bounds of tokens. MaxValidity and MinRemaining are ZIM's published numbers.
const (
	// SecretBytes is the length of an app's secret: an AES-256 key in ASCII.
	SecretBytes = 32
	// MaxValidity is how far ahead a token may end.
	MaxValidity = 24 * 24 * time.Hour
	// MinRemaining is what must be left of a token when it is presented.
	MinRemaining = 30 * time.Second
	// MaxTokenBytes is the longest token that is looked at.
	MaxTokenBytes = 8 << 10

	// clockLeeway is how far the clock of the token's maker may be off where
	// being off does no harm: at MaxValidity and at a JWT's nbf, not at expiry.
	clockLeeway = 5 * time.Minute
)

const (
	opLogin  = "login"
	opCreate = "make token"
)

// App is what the verifier knows of one app.
type App struct {
	ID chat.AppID
	// Secret opens token04 tokens, and HS256 ones where JWTSecret is empty and no
	// CBC form is accepted; empty when the app uses neither.
	Secret string
	// JWTSecret checks HS256 tokens in place of Secret. It must differ from it: a
	// key of unauthenticated encryption is not to sign anything.
	JWTSecret string
	// Keys check EdDSA tokens; any one will do, so that keys can be rolled.
	Keys []ed25519.PublicKey
	// Tokens are the kinds that are accepted; nil means DefaultKinds.
	Tokens []Kind
}

// Claims are what a good token says.
type Claims struct {
	AppID     chat.AppID
	UserID    string
	ExpiresAt time.Time
}

// Verifier checks tokens of a fixed set of apps.
type Verifier struct {
	apps map[chat.AppID]App
}

// NewVerifier fails, with a sentence, on an app that could not be served: ID 0,
// the same ID twice, a secret of another length, a key of another kind, or
// neither secret nor key.
func NewVerifier(apps []App) (*Verifier, error) {
	v := &Verifier{apps: make(map[chat.AppID]App, len(apps))}
	for _, a := range apps {
		if err := a.Check(); err != nil {
			return nil, err
		}
		if _, twice := v.apps[a.ID]; twice {
			return nil, fmt.Errorf("app %d is named twice; each app ID may stand once", a.ID)
		}
		v.apps[a.ID] = a
	}
	return v, nil
}

// Check says what makes an app impossible to serve; no secret appears in it.
func (a App) Check() error {
	switch {
	case a.ID == 0:
		return fmt.Errorf("app ID 0 is not allowed; use 1 to %d", uint32(1<<32-1))
	case a.Secret == "" && a.JWTSecret == "" && len(a.Keys) == 0:
		return fmt.Errorf("app %d has neither a secret nor a key; give a secret of %d characters or an Ed25519 public key", a.ID, SecretBytes)
	case a.Secret != "" && len(a.Secret) != SecretBytes:
		return fmt.Errorf("the secret of app %d has %d bytes; exactly %d are allowed", a.ID, len(a.Secret), SecretBytes)
	case a.JWTSecret != "" && len(a.JWTSecret) < SecretBytes:
		return fmt.Errorf("the JWT secret of app %d has %d bytes; at least %d are needed", a.ID, len(a.JWTSecret), SecretBytes)
	case a.JWTSecret != "" && a.JWTSecret == a.Secret:
		return fmt.Errorf("the JWT secret of app %d is its secret; make another", a.ID)
	}
	for i, k := range a.Keys {
		if len(k) != ed25519.PublicKeySize {
			return fmt.Errorf("key %d of app %d has %d bytes; an Ed25519 public key has %d", i+1, a.ID, len(k), ed25519.PublicKeySize)
		}
	}
	return a.checkKinds()
}

// Verify gives the claims of a token that lets user into app at time now.
// Otherwise the error is a *chat.Error; the checks run in this order:
//
//   - CodeInvalidAppID: no such app;
//   - CodeTokenVersion: a token04-like token that begins with other digits;
//   - CodeTokenInvalid: it is too long or malformed, of a kind that the app does
//     not accept, was not made with a key of this app, says not what a token must
//     say, or (token04) names one expiry outside and another inside;
//   - CodeLoginRefused: it is for another app or user, ends later than
//     MaxValidity from now, or (JWT) is not valid yet;
//   - CodeTokenExpired;
//   - CodeTokenTooShort: it ends within MinRemaining.
func (v *Verifier) Verify(token string, app chat.AppID, user string, now time.Time) (Claims, error) {
	claims, err := v.VerifyReturn(token, app, user, now)
	if err == nil && claims.ExpiresAt.Sub(now) < MinRemaining {
		return Claims{}, chat.Errorf(chat.CodeTokenTooShort, opLogin, "the token ends in less than %v", MinRemaining)
	}
	return claims, err
}

// VerifyReturn is Verify for a device that comes back for the login that it
// has: that may go on until the token's end.
func (v *Verifier) VerifyReturn(token string, app chat.AppID, user string, now time.Time) (Claims, error) {
	a, ok := v.apps[app]
	if !ok {
		return Claims{}, chat.Errorf(chat.CodeInvalidAppID, opLogin, "app %d is not served here", app)
	}
	claims, err := read(token, a, now)
	if err == nil {
		err = claims.check(app, user, now)
	}
	if err != nil {
		return Claims{}, err
	}
	return claims, nil
}

// VerifyBearer is Verify for a token that comes without a login: it says itself
// who the user is, and with app 0 also of which app, as a JWT can.
func (v *Verifier) VerifyBearer(token string, app chat.AppID, now time.Time) (Claims, error) {
	if app == 0 {
		if app = issuer(token); app == 0 {
			return Claims{}, chat.Errorf(chat.CodeInvalidAppID, opLogin, "the token does not tell its app: name it beside it")
		}
	}
	a, ok := v.apps[app]
	if !ok {
		return Claims{}, chat.Errorf(chat.CodeInvalidAppID, opLogin, "app %d is not served here", app)
	}
	claims, err := read(token, a, now)
	if err == nil {
		err = claims.check(app, claims.UserID, now)
	}
	if err == nil {
		err = chat.CheckUserID(opLogin, claims.UserID)
	}
	if err != nil {
		return Claims{}, err
	}
	return claims, nil
}

// read picks the kind by the first bytes: a token04 begins with two digits, a
// JWT with the base64 of '{'.
func read(token string, a App, now time.Time) (Claims, error) {
	switch {
	case len(token) > MaxTokenBytes:
		return Claims{}, invalid("the token has %d bytes; at most %d are allowed", len(token), MaxTokenBytes)
	case len(token) >= 2 && digit(token[0]) && digit(token[1]):
		return read04(token, a)
	case strings.Count(token, ".") == 2:
		return readJWT(token, a, now)
	}
	return Claims{}, invalid("the token is neither a token04 nor a JWT")
}

func digit(b byte) bool { return b >= '0' && b <= '9' }

// check is what both kinds owe once their content is known to be genuine.
func (c Claims) check(app chat.AppID, user string, now time.Time) error {
	left := c.ExpiresAt.Sub(now) // saturates for times far away
	switch {
	case c.AppID != app || c.UserID != user:
		return chat.Errorf(chat.CodeLoginRefused, opLogin, "the token was made for another app or user")
	case left > MaxValidity+clockLeeway:
		return chat.Errorf(chat.CodeLoginRefused, opLogin, "the token ends later than %d days from now", MaxValidity/(24*time.Hour))
	case left <= 0:
		return chat.Errorf(chat.CodeTokenExpired, opLogin, "the token has expired")
	}
	return nil
}

func invalid(format string, args ...any) error {
	return chat.Errorf(chat.CodeTokenInvalid, opLogin, format, args...)
}

// checkCreate refuses what no Verifier would accept.
func checkCreate(app chat.AppID, user, secret string, ttl time.Duration) error {
	switch {
	case app == 0:
		return chat.Errorf(chat.CodeInvalidParam, opCreate, "app ID 0 is not allowed; use 1 or more")
	case len(secret) < SecretBytes:
		return chat.Errorf(chat.CodeInvalidParam, opCreate, "the secret has %d bytes; %d are needed", len(secret), SecretBytes)
	case ttl < time.Second || ttl > MaxValidity:
		return chat.Errorf(chat.CodeInvalidParam, opCreate, "the token would be valid for %v; 1 s to %v is allowed", ttl, MaxValidity)
	}
	return chat.CheckUserID(opCreate, user)
}

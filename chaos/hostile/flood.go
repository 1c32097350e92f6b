package hostile

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client"
)

// fewestLogins is how many a flood has at least.
const fewestLogins = 300

// badToken is one way of having no good token for a user of an app.
type badToken struct {
	name string
	want chat.Code
	make func(app, other App, user string) (string, error)
}

var badTokens = []badToken{
	{"nothing", chat.CodeTokenInvalid, func(App, App, string) (string, error) { return "", nil }},
	{"garbage", chat.CodeTokenInvalid, func(App, App, string) (string, error) { return "04" + rand.Text(), nil }},
	{"a token with another secret", chat.CodeTokenInvalid, func(app, other App, user string) (string, error) {
		return token(App{app.ID, other.Secret}, user, 0)
	}},
	{"a token with a turned bit", chat.CodeTokenInvalid, turned},
	{"another app's token", chat.CodeTokenInvalid, func(_, other App, user string) (string, error) { return token(other, user, 0) }},
	{"a token that names another app", chat.CodeLoginRefused, func(app, other App, user string) (string, error) {
		return token(App{other.ID, app.Secret}, user, 0)
	}},
	{"another user's token", chat.CodeLoginRefused, func(app, _ App, user string) (string, error) { return token(app, user+"x", 0) }},
	{"a token of another version", chat.CodeTokenVersion, func(app, _ App, user string) (string, error) {
		good, err := token(app, user, 0)
		return "03" + strings.TrimPrefix(good, "04"), err
	}},
	{"a token of the past", chat.CodeTokenExpired, func(app, _ App, user string) (string, error) { return token(app, user, 2*time.Hour) }},
	{"a JWT of the past", chat.CodeTokenExpired, func(app, _ App, user string) (string, error) {
		return auth.GenerateJWT(app.ID, user, app.Secret, time.Hour, time.Now().Add(-2*time.Hour))
	}},
	{"a JWT with another secret", chat.CodeTokenInvalid, func(app, other App, user string) (string, error) {
		return auth.GenerateJWT(app.ID, user, other.Secret, time.Hour, time.Now())
	}},
	{"a JWT that nobody signed", chat.CodeTokenInvalid, unsigned},
}

// token was good for an hour when it was made, some time ago.
func token(app App, user string, ago time.Duration) (string, error) {
	return auth.Generate04(app.ID, user, app.Secret, time.Hour, time.Now().Add(-ago), rand.Reader)
}

// turned turns a bit in the encrypted part.
func turned(app, _ App, user string) (string, error) {
	good, err := token(app, user, 0)
	if err != nil {
		return "", err
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(good, "04"))
	if err != nil {
		return "", err
	}
	const encrypted = 8 + 2 + 12 + 2 // what stands before it: the end, the nonce, lengths
	raw[encrypted+mathrand.IntN(16)] ^= 1 << mathrand.IntN(8)
	return "04" + base64.StdEncoding.EncodeToString(raw), nil
}

// unsigned is a JWT of the algorithm "none".
func unsigned(app, _ App, user string) (string, error) {
	part := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"iss":"%d","sub":"%s","exp":%d}`, app.ID, user, time.Now().Add(time.Hour).Unix())
	return part([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + part([]byte(claims)) + ".", nil
}

// Flood tries to log in on a node with tokens that are not good, hundreds of
// times and at least for a time; it says how often it was refused with which code
// and how often it was let in.
func (h *Hostile) Flood(ctx context.Context, node, url string, hold time.Duration) (refused map[int]int, let int, err error) {
	refused = make(map[int]int)
	var mu sync.Mutex
	var failed error
	err = h.repeat(ctx, hold, floodAtOnce, fewestLogins, func(n uint64) {
		code, err := h.force(ctx, node, url, n)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case ctx.Err() != nil:
		case err != nil:
			failed = err
		case code == 0:
			let++
		default:
			refused[int(code)]++
		}
	})
	if err == nil {
		err = failed
	}
	return refused, let, err
}

// force makes the nth attempt to log in, and records it; code 0 is that it was
// let in. The error is the tool's.
func (h *Hostile) force(ctx context.Context, node, url string, n uint64) (chat.Code, error) {
	bad := badTokens[n%uint64(len(badTokens))]
	n /= uint64(len(badTokens))
	at := int(n % uint64(len(h.o.Apps)))
	app, other, user := h.o.Apps[at], h.o.Apps[(at+1)%len(h.o.Apps)], h.o.Users[n%uint64(len(h.o.Users))]
	text, err := bad.make(app, other, user)
	if err != nil {
		return 0, err
	}
	e := history.Event{App: app.ID, User: user, Device: h.device(), Node: node}
	record := func(kind history.Kind) {
		e.Kind = kind
		h.o.History.Record(e)
	}
	e.Expires = history.Never
	record(history.KindToken)
	e.Expires, e.Call = 0, h.o.History.Now()
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	c, err := client.Dial(ctx, client.Options{Servers: []string{url}, AppID: app.ID, UserID: user, Token: text, DeviceID: e.Device, NoReconnect: true})
	if err != nil {
		e.Code, e.Want, e.Text = chat.CodeOf(err), bad.want, bad.name+": "+err.Error()
		record(history.KindRefused)
		return e.Code, nil
	}
	record(history.KindLogin)
	_ = c.Close(ctx)
	e.Call = 0
	record(history.KindLogout)
	return 0, nil
}

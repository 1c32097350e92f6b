package check

import (
	"time"

	"github.com/parley-im/parley/chaos/history"
)

// How long a token may still work past its end, and after it was revoked.
const (
	expiryGrace = int64(30 * time.Second)
	revokeGrace = int64(5 * time.Second)
)

// access is what decides whether a device may do anything.
func (c *checker) access(e *history.Event) {
	user := userKey{e.App, e.User}
	switch e.Kind {
	case history.KindLogin:
		c.succeeded(e, c.begin(loginKey{user, e.Device}, e.At), e.Call)
	case history.KindLogout:
		l := c.login(e)
		l.closed, l.out = true, true
	case history.KindToken:
		l := c.login(e)
		l.token, l.expires = e.At, e.Expires
	case history.KindRevoked:
		c.revoked[user] = append(c.revoked[user], e.At)
	}
}

// void says why a call by the login at a time cannot succeed; empty when it may.
func (c *checker) void(l *login, call int64) string {
	if l.expires == history.Never {
		return "its token was never good"
	}
	if l.expires > 0 && call > l.expires+expiryGrace {
		return "its token ended at " + clock(l.expires).String()
	}
	for _, at := range c.revoked[l.userKey] {
		if at >= l.token && call > at+revokeGrace {
			return "its token was revoked at " + clock(at).String()
		}
	}
	return ""
}

// refusedToken counts a call that was right to fail.
func (c *checker) refusedToken(l *login, call int64) {
	if c.void(l, call) != "" {
		c.exercise("I11")
	}
}

// succeeded checks that a call's success was allowed.
func (c *checker) succeeded(e *history.Event, l *login, call int64) {
	why := c.void(l, call)
	if why == "" {
		return
	}
	c.exercise("I11")
	c.violate("I11", Auth, "%s/%s of app %d: %s of what was called at %v, and %s", l.user, l.device, l.app, e.Kind, clock(call), why)
}

package client

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/parley-im/parley/chat"
)

// State is what the connection is doing.
type State int

// The states. Disconnected is final.
const (
	StateConnected State = iota + 1
	StateReconnecting
	StateDisconnected
)

// String is the state in lower case.
func (s State) String() string {
	switch s {
	case StateConnected:
		return "connected"
	case StateReconnecting:
		return "reconnecting"
	case StateDisconnected:
		return "disconnected"
	}
	return "unknown"
}

// Options say who logs in where, and what is called back.
type Options struct {
	// Servers are the origins (http, https, ws or wss) of one or more nodes; without
	// a path, /ws is meant. The first one is tried first; when a connection is lost,
	// the others are.
	Servers []string
	AppID   chat.AppID
	UserID  string
	// Token logs in. With a TokenSource it is not used: the source is asked before
	// every connection, and again when the token is about to end or has ended. When
	// it fails it is asked again after a while; an error that wraps ErrTokenRefused
	// ends the login.
	Token       string
	TokenSource func(ctx context.Context) (string, error)
	// UserName, when not empty, is stored as the user's name.
	UserName string
	// DeviceID names this login; random when empty.
	DeviceID string

	// OnMessage gets every message of others, and what the user's other devices
	// send. Unless NoReconnect: each once, in the order of its conversation, from
	// the first one after the login on, on a goroutine of its own; until it returns
	// the next one waits. With NoReconnect: whatever is pushed, on the reader's
	// goroutine, so that it must return at once and may use SendAsync only.
	OnMessage func(Message)
	// OnState hears each change; cause is nil for StateConnected. Kicked by another
	// device is StateDisconnected with CodeKicked. It must return at once.
	OnState func(s State, cause error)

	// NoReconnect makes the thin client: see the package comment.
	NoReconnect bool
	// MaxInFlight bounds the requests that await their reply; 64 when 0.
	MaxInFlight int
	// AttemptTimeout is how long one attempt of a request waits for its reply; 10 s
	// when 0.
	AttemptTimeout time.Duration
	// MinBackoff and MaxBackoff bound the wait before the nth reconnect or retry: a
	// random time up to MinBackoff × 2ⁿ, at most MaxBackoff. 100 ms and 10 s when 0.
	MinBackoff, MaxBackoff time.Duration
	// HTTPClient makes the connection; http.DefaultClient when nil.
	HTTPClient *http.Client
}

// ErrTokenRefused is what a TokenSource wraps to say that the user is to have no
// further token.
var ErrTokenRefused = errors.New("the user is given no token")

func (o Options) withDefaults() (Options, error) {
	const op = "login"
	if len(o.Servers) == 0 {
		return o, chat.Errorf(chat.CodeInvalidParam, op, "no server is named")
	}
	o.Servers = slices.Clone(o.Servers)
	for i, s := range o.Servers {
		u, err := socketURL(op, s)
		if err != nil {
			return o, err
		}
		o.Servers[i] = u
	}
	if err := chat.CheckUserID(op, o.UserID); err != nil {
		return o, err
	}
	if o.DeviceID == "" {
		var id [16]byte
		rand.Read(id[:])
		o.DeviceID = hex.EncodeToString(id[:])
	}
	setDefault(&o.MaxInFlight, 64)
	setDefault(&o.AttemptTimeout, 10*time.Second)
	setDefault(&o.MinBackoff, 100*time.Millisecond)
	setDefault(&o.MaxBackoff, 10*time.Second)
	return o, nil
}

// socketURL is the address of a server's socket.
func socketURL(op, server string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" {
		return "", chat.Errorf(chat.CodeInvalidParam, op, "the URL %q is no http, https, ws or wss address", server)
	}
	switch u.Scheme {
	case "http", "ws":
		u.Scheme = "ws"
	case "https", "wss":
		u.Scheme = "wss"
	default:
		return "", chat.Errorf(chat.CodeInvalidParam, op, "the URL's scheme %q is not one of http, https, ws and wss", u.Scheme)
	}
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/ws") + "/ws" // after the path of a proxy, if any
	return u.String(), nil
}

func setDefault[T int | time.Duration](to *T, value T) {
	if *to <= 0 {
		*to = value
	}
}

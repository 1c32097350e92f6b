// Package client is Parley's Go client: one login of one user over one
// WebSocket. Business back ends, the load and the chaos tools, and tests use it.
//
// Ordinarily it keeps the login up: it reconnects, sends again what was not
// acknowledged under the same client message id, and hands each message to
// OnMessage once and in the order of its conversation, fetching what pushes
// left out. With Options.NoReconnect it is a thin wire: one connection, one
// attempt, pushes as they come, nothing repaired.
//
// It keeps no messages: its memory grows with the number of conversations, not
// with their content. Every error carries a *chat.Error with the code.
//
// Goroutines, all started in client.go and link.go, all ended when Close returns
// nil: one reader per connection; unless NoReconnect, one that keeps the
// connection up (run.go) and, when OnMessage is set, one that delivers
// (deliver.go).
package client

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
)

// Client is one login. Its methods may be called by many goroutines.
type Client struct {
	o    Options
	ctx  context.Context // ends with the client
	stop context.CancelFunc
	wg   sync.WaitGroup

	slots       chan struct{} // one per request in flight
	turns       turns
	deliver     *deliverer         // nil without OnMessage or with NoReconnect
	expiring    chan struct{}      // the token is about to end; holds at most one
	moving      chan time.Duration // the node asks to be left within a time; holds at most one
	server      atomic.Uint32      // counts on to the next of Options.Servers
	links       atomic.Uint32      // the newest connection's number, which is above those of the device's earlier logins
	clockOffset atomic.Int64       // server's clock minus ours, ms
	closing     atomic.Bool        // Close was called: a lost connection is no surprise

	mu      sync.Mutex
	token   string        // the last one that was accepted or given
	link    *link         // nil while not connected
	changed chan struct{} // closed and replaced when link or cause changes
	cause   error         // why the client ended; nil while it lives
}

// Dial connects and logs in, in one attempt. A refusal has the server's code, a
// server that cannot be reached CodeUnavailable, options that make no sense
// CodeInvalidParam. ctx bounds the attempt only.
func Dial(ctx context.Context, o Options) (*Client, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Client{
		o: o, token: o.Token, slots: make(chan struct{}, o.MaxInFlight),
		changed: make(chan struct{}), expiring: make(chan struct{}, 1), moving: make(chan time.Duration, 1),
	}
	c.links.Store(uint32(time.Now().Unix()))
	c.ctx, c.stop = context.WithCancel(context.Background())
	if o.OnMessage != nil && !o.NoReconnect {
		c.deliver = newDeliverer(c)
	}
	l, err := c.connect(ctx, false)
	if err != nil {
		c.stop()
		return nil, err
	}
	c.setLink(l)
	if o.NoReconnect {
		return c, nil
	}
	c.wg.Go(func() { c.run(l) })
	if c.deliver != nil {
		c.wg.Go(c.deliver.run)
	}
	return c, nil
}

// Close logs out, stops everything and waits for it, at most until ctx ends;
// then it gives ctx's error and what is left stops by itself. Close waits for
// callbacks that are running, so it must not be called by one without a
// deadline. Closing twice is harmless.
func (c *Client) Close(ctx context.Context) error {
	c.closing.Store(true)
	c.mu.Lock()
	l := c.link
	c.mu.Unlock()
	if l != nil {
		l.goodbye(ctx)
	}
	c.end(chat.Errorf(chat.CodeNotLoggedIn, "close", "the client was closed"))
	if l != nil {
		l.end(errLost)
	}
	done := make(chan struct{})
	go func() {
		c.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ServerTime is the server's clock as of the last login, moved on by ours.
func (c *Client) ServerTime() time.Time {
	return time.UnixMilli(time.Now().UnixMilli() + c.clockOffset.Load())
}

// connect makes one connection and logs in on it.
func (c *Client) connect(ctx context.Context, resume bool) (*link, error) {
	token, err := c.freshToken(ctx)
	if err != nil {
		return nil, err
	}
	if c.many() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, manyDial)
		defer cancel()
	}
	l, err := dial(ctx, c, c.present(), token, resume)
	if err != nil {
		c.server.Add(1) // the next attempt goes elsewhere
		return nil, err
	}
	c.learn(l.welcome.GetServers())
	c.clockOffset.Store(int64(l.welcome.GetServerTimeMs()) - time.Now().UnixMilli())
	return l, nil
}

// manyDial is how long one of several servers may take to welcome.
const manyDial = 2 * time.Second

// many says whether there is another server to go to.
func (c *Client) many() bool { return c.known() > 1 && !c.o.NoReconnect }

func (c *Client) known() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.o.Servers)
}

// present is the server that is tried next.
func (c *Client) present() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.o.Servers[int(c.server.Load())%len(c.o.Servers)]
}

// learn adds servers that a node tells of, but none where tokens would travel in
// the clear when those that the app named are reached by TLS.
func (c *Client) learn(servers []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	secure := strings.HasPrefix(c.o.Servers[0], "wss:")
	for _, s := range servers {
		u, err := socketURL("login", s)
		if err == nil && !slices.Contains(c.o.Servers, u) && (!secure || strings.HasPrefix(u, "wss:")) {
			c.o.Servers = append(c.o.Servers, u)
		}
	}
}

// freshToken asks the source, when there is one.
func (c *Client) freshToken(ctx context.Context) (string, error) {
	if c.o.TokenSource == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.token, nil
	}
	token, err := c.o.TokenSource(ctx)
	switch {
	case errors.Is(err, ErrTokenRefused):
		return "", chat.Errorf(chat.CodeLoginRefused, "login", "no token: %w", err)
	case err != nil:
		return "", chat.Errorf(chat.CodeUnavailable, "login", "no token: %w", err)
	}
	return token, nil
}

// over says whether a refusal or a close ends the login. A token that has ended
// does not while there is a source for another.
func (c *Client) over(err error) bool {
	switch chat.CodeOf(err) {
	case chat.CodeTokenExpired, chat.CodeTokenTooShort:
		return c.o.TokenSource == nil
	}
	return final(err)
}

// swapLink puts a connection in the place of one that is in use; what awaits its
// reply on the old one is made again when that closes.
func (c *Client) swapLink(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause == nil {
		c.link = l
		close(c.changed)
		c.changed = make(chan struct{})
	}
}

// setLink makes l the connection that requests use; nil makes them wait. A
// client that has ended takes none.
func (c *Client) setLink(l *link) {
	c.mu.Lock()
	alive := c.cause == nil
	if alive {
		c.link = l
		close(c.changed)
		c.changed = make(chan struct{})
	}
	c.mu.Unlock()
	if alive && l != nil {
		c.state(StateConnected, nil)
	}
}

// end is the client's death, for the first cause that is given.
func (c *Client) end(cause error) {
	c.mu.Lock()
	first := c.cause == nil
	if first {
		c.cause, c.link = cause, nil
		close(c.changed)
		c.changed = make(chan struct{})
	}
	c.mu.Unlock()
	if first {
		c.stop()
		c.state(StateDisconnected, cause)
	}
}

// ended is what every request gets once the client has ended; with the lock held.
func (c *Client) ended(op string) error {
	return chat.Errorf(chat.CodeNotLoggedIn, op, "the login has ended: %w", c.cause)
}

func (c *Client) state(s State, cause error) {
	if c.o.OnState != nil {
		c.o.OnState(s, cause)
	}
}

// pushed takes what a node said unasked. The connection's reader calls it, in
// order; it must not block.
func (c *Client) pushed(f *wirepb.ServerFrame) {
	switch b := f.Body.(type) {
	case *wirepb.ServerFrame_Message:
		switch {
		case c.deliver != nil:
			c.deliver.put(event{message: b.Message})
		case c.o.OnMessage != nil:
			c.o.OnMessage(messageFrom(b.Message, c.o.UserID))
		}
	case *wirepb.ServerFrame_Reconnect:
		select {
		case c.moving <- time.Duration(b.Reconnect.GetAfterMs()) * time.Millisecond:
		default:
		}
	case *wirepb.ServerFrame_Behind:
		if c.deliver != nil {
			c.deliver.put(event{resync: true})
		}
	case *wirepb.ServerFrame_TokenExpiring:
		select {
		case c.expiring <- struct{}{}:
		default:
		}
	}
}

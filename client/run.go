package client

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/parley-im/parley/chat"
)

// run keeps the login up: it waits for the connection to be lost, makes another
// and has the gap filled. It ends with the client, or when the server says that
// the login is over.
func (c *Client) run(l *link) {
	defer func() { l.end(errLost) }()
	var move <-chan time.Time
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-c.expiring:
			c.renew(l)
			continue
		case within := <-c.moving:
			move = time.After(rand.N(within + 1))
			continue
		case <-move:
			move = nil
			l = c.move(l)
			continue
		case <-l.lost:
			move = nil
			c.server.Add(1)
		}
		if c.closing.Load() {
			return
		}
		if final(l.cause) {
			c.end(l.cause)
			return
		}
		c.setLink(nil)
		c.state(StateReconnecting, l.cause)
		next, err := c.reconnect()
		if err != nil {
			c.end(err)
			return
		}
		l = next
		c.setLink(l)
		if c.deliver != nil {
			c.deliver.put(event{resync: true})
		}
	}
}

// reconnect tries until it is welcomed, refused for good, or the client ends.
func (c *Client) reconnect() (*link, error) {
	for attempt := 0; ; attempt++ {
		if err := c.pause(c.ctx, attempt/c.known(), 0); err != nil { // once around
			return nil, err
		}
		ctx, cancel := context.WithTimeout(c.ctx, c.o.AttemptTimeout)
		l, err := c.connect(ctx, true)
		cancel()
		switch {
		case err == nil:
			return l, nil
		case c.ctx.Err() != nil || final(err):
			return nil, err
		}
		if after := retryAfter(err); after > 0 {
			if err := c.pause(c.ctx, 0, after); err != nil {
				return nil, err
			}
		}
	}
}

// move goes to another server while the old connection is still in use, so that
// nobody notices. When that fails, the old one stays until it is closed.
func (c *Client) move(old *link) *link {
	c.server.Add(1)
	ctx, cancel := context.WithTimeout(c.ctx, c.o.AttemptTimeout)
	defer cancel()
	l, err := c.connect(ctx, true)
	if err != nil {
		return old
	}
	c.swapLink(l)
	if c.deliver != nil {
		c.deliver.put(event{resync: true})
	}
	c.wg.Go(func() { // the session closes it
		wait := time.NewTimer(c.o.AttemptTimeout)
		defer wait.Stop()
		select {
		case <-old.lost:
		case <-wait.C:
			old.end(errLost)
		case <-c.ctx.Done():
			old.end(errLost)
		}
	})
	return l
}

// renew gives the server a new token before the old one ends. When that fails
// the server will end the login, which is then told through OnState. It makes
// one attempt on this connection: waiting for another would wait for run itself.
func (c *Client) renew(l *link) {
	if c.o.TokenSource == nil {
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, c.o.AttemptTimeout)
	defer cancel()
	if token, err := c.o.TokenSource(ctx); err == nil {
		_, _ = c.attempt(ctx, l, renewal(token))
	}
}

// pause waits atLeast and then a random time (full jitter): up to
// MinBackoff × 2^attempt, at most MaxBackoff.
func (c *Client) pause(ctx context.Context, attempt int, atLeast time.Duration) error {
	limit := c.o.MaxBackoff
	if attempt < 20 {
		limit = min(limit, c.o.MinBackoff<<attempt)
	}
	timer := time.NewTimer(atLeast + rand.N(limit+1))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return chat.Errorf(chat.CodeTimeout, "wait", "gave up: %w", ctx.Err())
	case <-c.ctx.Done():
		return chat.Errorf(chat.CodeNotLoggedIn, "wait", "the client was closed")
	}
}

package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/parley-im/parley/chat"
)

// run keeps the login up: it waits for the connection to be lost, makes another
// and has the gap filled. It ends with the client, or when the server says that
// the login is over.
func (c *Client) run(l *link) {
	defer func() { l.end(errLost) }()
	var move, renew <-chan time.Time
	for tries := 0; ; {
		select {
		case <-c.ctx.Done():
			return
		case <-c.expiring:
			tries, renew = 0, time.After(0)
			continue
		case <-renew:
			if renew = nil; !c.renew(l) {
				renew = time.After(c.backoff(tries))
				tries++
			}
			continue
		case within := <-c.moving:
			move = time.After(rand.N(within + 1))
			continue
		case <-move:
			move = nil
			l = c.move(l)
			continue
		case <-l.lost:
			move, renew = nil, nil
			c.server.Add(1)
		}
		if c.closing.Load() {
			return
		}
		if c.over(l.cause) {
			c.end(l.cause)
			return
		}
		c.setLink(nil)
		c.state(StateReconnecting, l.cause)
		next, err := c.reconnect(retryAfter(l.cause))
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

// reconnect tries until it is welcomed, refused for good, or the client ends;
// for the first time not before the time that the server asked for.
func (c *Client) reconnect(after time.Duration) (*link, error) {
	for attempt := 0; ; attempt++ {
		if err := c.pause(c.ctx, attempt/c.known(), after); err != nil { // once around
			return nil, err
		}
		ctx, cancel := context.WithTimeout(c.ctx, c.o.AttemptTimeout)
		l, err := c.connect(ctx, true)
		cancel()
		switch {
		case err == nil:
			return l, nil
		case c.ctx.Err() != nil || c.over(err):
			return nil, err
		}
		after = retryAfter(err)
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

// renew gives the server a new token before the old one ends, and says whether
// that need not be tried again on this connection. It makes one attempt: waiting
// for another connection would wait for run itself.
func (c *Client) renew(l *link) bool {
	if c.o.TokenSource == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(c.ctx, c.o.AttemptTimeout)
	defer cancel()
	token, err := c.freshToken(ctx)
	if err == nil {
		_, err = c.attempt(ctx, l, renewal(token))
	} else if final(err) {
		c.end(err)
		l.end(errLost)
	}
	return err == nil || errors.Is(err, errLost)
}

// pause waits atLeast and then the backoff of an attempt.
func (c *Client) pause(ctx context.Context, attempt int, atLeast time.Duration) error {
	timer := time.NewTimer(atLeast + c.backoff(attempt))
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

// backoff is a random time (full jitter) up to MinBackoff × 2^attempt, at most
// MaxBackoff.
func (c *Client) backoff(attempt int) time.Duration {
	limit := c.o.MaxBackoff
	if attempt < 20 {
		limit = min(limit, c.o.MinBackoff<<attempt)
	}
	return rand.N(limit + 1)
}

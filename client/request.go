package client

import (
	"context"
	"errors"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
)

// do has a request answered: over as many connections and attempts as it takes
// until ctx ends, or with NoReconnect in one attempt. The request must be one
// that may be made twice. A refusal that trying again cannot mend is returned
// as it came. When ctx or the login ends first, the error is CodeTimeout if any
// attempt may have been carried out, else the last refusal.
func (c *Client) do(ctx context.Context, op string, request *wirepb.ClientFrame) (*wirepb.ServerFrame, error) {
	if err := c.enter(ctx, op); err != nil {
		return nil, err
	}
	defer c.leave()
	var lost *link
	var refusal error
	doubt := false
	for attempt := 0; ; attempt++ {
		l, err := c.await(ctx, op, lost)
		switch {
		case err != nil && doubt:
			return nil, unknown(op, err)
		case err != nil && refusal != nil:
			return nil, refusal
		case err != nil:
			return nil, err
		}
		f, err := c.attempt(ctx, l, request)
		if err == nil {
			return f, nil
		}
		doubt = doubt || uncertain(err)
		switch {
		case errors.Is(err, errLost) && c.o.NoReconnect:
			return nil, unknown(op, err)
		case errors.Is(err, errLost):
			lost = l // the next connection tells
			continue
		case c.o.NoReconnect || !retryable(err):
			return nil, under(op, err)
		}
		refusal = under(op, err)
		_ = c.pause(ctx, attempt, retryAfter(err)) // await tells what ended
	}
}

// uncertain says whether a failed attempt may have been carried out.
func uncertain(err error) bool {
	return errors.Is(err, errLost) || chat.CodeOf(err) == chat.CodeTimeout
}

// attempt makes a request once and awaits its reply.
func (c *Client) attempt(ctx context.Context, l *link, request *wirepb.ClientFrame) (*wirepb.ServerFrame, error) {
	type answer struct {
		f   *wirepb.ServerFrame
		err error
	}
	answered := make(chan answer, 1)
	id := l.start(request, func(f *wirepb.ServerFrame, err error) {
		c.note(request, f)
		answered <- answer{f, err}
	})
	timer := time.NewTimer(c.o.AttemptTimeout)
	defer timer.Stop()
	var doubt <-chan time.Time
	if c.many() {
		early := time.NewTicker(manyReply / 3)
		defer early.Stop()
		doubt = early.C
	}
	for {
		select {
		case a := <-answered:
			return a.f, a.err
		case <-doubt:
			if l.silent(manyReply) {
				l.end(errLost) // which answers
			}
		case <-timer.C:
			l.forget(id)
			return nil, chat.Errorf(chat.CodeTimeout, "request", "no reply within %v", c.o.AttemptTimeout)
		case <-ctx.Done():
			l.forget(id)
			select {
			case a := <-answered: // at the same moment
				return a.f, a.err
			default:
			}
			return nil, chat.Errorf(chat.CodeTimeout, "request", "no reply yet: %w", ctx.Err())
		}
	}
}

// await gives a connection other than the one that was lost. The error is
// CodeUnavailable when ctx ends first, CodeNotLoggedIn when the login has ended.
func (c *Client) await(ctx context.Context, op string, lost *link) (*link, error) {
	for {
		c.mu.Lock()
		l, changed := c.link, c.changed
		if c.cause != nil {
			defer c.mu.Unlock()
			return nil, c.ended(op)
		}
		c.mu.Unlock()
		if l != nil && l != lost && ctx.Err() == nil {
			return l, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, chat.Errorf(chat.CodeUnavailable, op, "not connected: %w", ctx.Err())
		}
	}
}

// enter takes one of the places for requests in flight.
func (c *Client) enter(ctx context.Context, op string) error {
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return chat.Errorf(chat.CodeBusy, op, "%d requests await their reply already: %w", cap(c.slots), ctx.Err())
	}
}

func (c *Client) leave() { <-c.slots }

// unknown is the answer when nobody knows whether the request was carried out.
func unknown(op string, cause error) error {
	return chat.Errorf(chat.CodeTimeout, op, "the outcome is unknown: %w", cause)
}

// under gives a refusal the operation's name.
func under(op string, err error) error {
	var e *chat.Error
	if !errors.As(err, &e) {
		return chat.Errorf(chat.CodeInternal, op, "%w", err)
	}
	return &chat.Error{Code: e.Code, Op: op, Err: e.Err}
}

// unexpected is the answer to a reply of another kind than the request's.
func unexpected(op string, f *wirepb.ServerFrame) error {
	return chat.Errorf(chat.CodeInternal, op, "the server answered with %T", f.GetBody())
}

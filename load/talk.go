package load

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/parley-im/parley/proto/wirepb"
)

// pacers is how many goroutines say what an open loop wants said: one that a
// full socket holds up delays few others.
const pacers = 16

// greetingsAtOnce is how many first messages are under way before the talk.
const greetingsAtOnce = 64

// acquaint has each pair say something before the talk, where that is to be in
// conversations that exist: first messages cost several times as much, and among
// a few thousand they would be what the high percentiles tell of.
func (c *crowd) acquaint() error {
	if c.plan.Scenario != Peer && c.plan.Scenario != Mixed {
		return nil
	}
	c.say("getting to know each other")
	slots := make(chan struct{}, greetingsAtOnce)
	for i := 0; i < len(c.users); i += 2 {
		select {
		case slots <- struct{}{}:
			c.greet(i, func() { <-slots })
		case <-c.ctx.Done():
			return c.ctx.Err()
		}
	}
	return c.settle()
}

// greet has a user write to the usual partner until that is acknowledged.
func (c *crowd) greet(n int, done func()) {
	u, partner := c.users[n], c.users[pair(n)]
	u.mu.Lock()
	s := u.talks[partner.id]
	u.mu.Unlock()
	u.send(partner, s, time.Now(), func(refusal *wirepb.Error) {
		switch {
		case refusal == nil:
			done()
		case refusal.Retryable:
			c.greet(n, done)
		default:
			c.fail(fmt.Errorf("%s may not write to %s: %s", u.id, partner.id, refusal.Message))
		}
	})
}

// open has the users do so many things a second until a time. What is late is
// done late, and measured from when it was meant.
func (c *crowd) open(until time.Time) {
	var all sync.WaitGroup
	begin := time.Now()
	order := rand.Perm(len(c.talkers)) // else those of one end would all be silent for a time
	gap := time.Second * pacers / time.Duration(c.plan.Rate)
	for p := range pacers {
		all.Go(func() {
			for i := 0; ; i++ {
				at := begin.Add(gap*time.Duration(i) + gap*time.Duration(p)/pacers)
				if at.After(until) || pause(c.ctx, time.Until(at)) != nil {
					return
				}
				c.act(c.talkers[order[(i*pacers+p)%len(order)]], at)
			}
		})
	}
	all.Wait()
}

// loop has every user keep so many messages outstanding until a time.
func (c *crowd) loop(until time.Time) {
	c.closed.Store(true)
	for range c.plan.Closed {
		for _, u := range c.talkers {
			c.act(u, time.Now())
		}
	}
	_ = pause(c.ctx, time.Until(until))
	c.closed.Store(false)
}

// next is called when a user has an answer.
func (c *crowd) next(u *user) {
	if c.closed.Load() {
		c.act(u, time.Now())
	}
}

// act has a user do the next thing of the scenario.
func (c *crowd) act(u *user, at time.Time) {
	u.mu.Lock()
	u.acts++
	n := u.acts
	u.mu.Unlock()
	if c.plan.Scenario == Cold {
		c.approach(u, at)
		return
	}
	if c.plan.Scenario == Mixed {
		switch (n + 7*u.n) % 20 { // they do not all do the same at once
		case 5, 15:
			c.approach(u, at)
			return
		case 10:
			c.browse(u)
		case 0:
			u.drop(nil)
		}
	}
	partner := c.users[pair(u.n)]
	u.mu.Lock()
	s := u.talks[partner.id]
	u.mu.Unlock()
	u.send(partner, s, at, u.next)
}

// approach has a user write to somebody new.
func (c *crowd) approach(u *user, at time.Time) {
	u.mu.Lock()
	n, ok := fresh(u.n, u.met, len(c.users))
	u.met++
	u.mu.Unlock()
	if !ok {
		c.fail(fmt.Errorf("%s has met everybody: for so many cold conversations more --users are needed", u.id))
		return
	}
	u.send(c.users[n], c.stream(u.n, n), at, u.next)
}

// browse has a user read the end of a conversation.
func (c *crowd) browse(u *user) {
	c.tasks.Go(func() {
		peer, begin := c.users[pair(u.n)].id, time.Now()
		_, err := u.history(c.ctx, &wirepb.QueryMessages{
			Conversation: &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: peer}, Count: 30, NewestFirst: true,
		})
		if err == nil {
			c.pages.add(time.Since(begin))
		} else if c.ctx.Err() == nil {
			c.fail(fmt.Errorf("%s reads the history: %w", u.id, err))
		}
	})
}

// cut ends the connections of the first users at once and waits, up to a limit,
// until all are back.
func (c *crowd) cut(n int) Storm {
	const limit = 2 * time.Minute
	s := &storm{done: make(chan struct{})}
	s.left.Store(int64(n))
	begin := time.Now()
	for _, u := range c.users[:n] {
		u.drop(s)
	}
	out := Storm{Sessions: n}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-s.done:
	case <-timer.C:
	case <-c.ctx.Done():
	}
	out.Missing = s.left.Load()
	out.Seconds = time.Since(begin).Seconds()
	return out
}

package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/wirepb"
)

// crowd is the users of a plan, their conversations, and what was counted.
type crowd struct {
	plan    Plan
	content []byte
	users   []*user
	// talkers are those that the loops have act: all, if nobody says otherwise.
	talkers []*user
	ctx     context.Context // of everything the users do by themselves
	end     context.CancelCauseFunc
	tasks   sync.WaitGroup

	closed atomic.Bool // whoever has an answer says the next thing

	acked, delivered, repeated, refused, retried, reconnects atomic.Int64
	sessions, outstanding                                    atomic.Int64

	acks, e2e, logins, pages *recorder
	untouched                *recorder // acknowledgements of users that no storm hits
	looks                    looks

	mu       sync.Mutex
	refusals map[chat.Code]int64
	streams  []*stream
	now      string // what is happening, for the progress
}

// storm is how many are cut and not back; all are once done is closed.
type storm struct {
	left atomic.Int64
	done chan struct{}
}

func (s *storm) returned() {
	if s.left.Add(-1) == 0 {
		close(s.done)
	}
}

func newCrowd(ctx context.Context, p Plan) *crowd {
	c := &crowd{
		plan: p, content: wirepb.EncodeContent(&chat.Message{Body: text(p.Size)}), refusals: make(map[chat.Code]int64),
		acks: newRecorder(), e2e: newRecorder(), logins: newRecorder(), pages: newRecorder(), untouched: newRecorder(),
	}
	c.ctx, c.end = context.WithCancelCause(ctx)
	for i := range p.Users {
		u := &user{
			crowd: c, n: i, id: c.name(i), url: p.Targets[i%len(p.Targets)], device: fmt.Sprintf("load-%d", rand.Uint64()),
			out: make(map[uint32]*message), talks: make(map[string]*stream),
		}
		u.next = func(*wirepb.Error) { c.next(u) }
		c.users = append(c.users, u)
	}
	for i := 0; i < p.Users; i += 2 {
		c.stream(i, pair(i))
	}
	c.talkers = c.users
	return c
}

// text is so many bytes of letters that do not repeat themselves.
func text(n int) []byte {
	letters := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(letters.IntN(26))
	}
	return b
}

func (c *crowd) name(i int) string { return fmt.Sprintf("load%s-%d", c.plan.Run, c.plan.First+i) }

// stream makes the conversation of two users.
func (c *crowd) stream(a, b int) *stream {
	s := newStream(a, b)
	for n, other := range map[int]int{a: b, b: a} {
		u := c.users[n]
		u.mu.Lock()
		u.talks[c.users[other].id] = s
		if u.away { // what is said now is not pushed
			s.doubt(s.side(n))
		}
		u.mu.Unlock()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.streams = append(c.streams, s)
	return s
}

// fail ends the run for a reason.
func (c *crowd) fail(err error) { c.end(err) }

func (c *crowd) refuse(code chat.Code) {
	c.refused.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusals[code]++
}

// logins at a time, when no ramp spreads them.
const loginsAtOnce = 64

// login brings users from..to in, over the plan's ramp. A login that is refused
// for now is tried again.
func (c *crowd) login(from, to int) error {
	slots, errs := make(chan struct{}, loginsAtOnce), make(chan error, 1)
	var all sync.WaitGroup
	begin := time.Now()
	for i := from; i < to; i++ {
		if c.plan.Ramp > 0 {
			if err := pause(c.ctx, time.Until(begin.Add(c.plan.Ramp*time.Duration(i-from)/time.Duration(to-from)))); err != nil {
				return err
			}
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			if err := c.users[i].come(c.ctx, false); err != nil {
				select {
				case errs <- fmt.Errorf("log in %s: %w", c.users[i].id, err):
				default:
				}
			}
		})
	}
	all.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// beat is how often every user says that it is there.
const beat = 10 * time.Second

// keepAlive pings for all, spread over the time between two beats.
func (c *crowd) keepAlive() {
	for begin, i := time.Now(), 0; ; i++ {
		if pause(c.ctx, time.Until(begin.Add(beat*time.Duration(i)/time.Duration(len(c.users))))) != nil {
			return
		}
		c.users[i%len(c.users)].ping()
	}
}

// settle waits until every message is answered and everybody heard the last one
// of each conversation, or nothing has moved for a while.
func (c *crowd) settle() error {
	moved := func() int64 { return c.acked.Load() + c.delivered.Load() + c.refused.Load() + c.repeated.Load() }
	for still, last := 0, int64(-1); still < 10 && (still < 1 || c.outstanding.Load() > 0 || !c.level()); still++ {
		if at := moved(); at != last {
			still, last = 0, at
		}
		if err := pause(c.ctx, time.Second); err != nil {
			return err
		}
	}
	return nil
}

func (c *crowd) level() bool {
	for _, s := range c.streams {
		if !s.level() {
			return false
		}
	}
	return true
}

// verify has those who may have missed something read the history, and checks
// every conversation.
func (c *crowd) verify() (wrong []Wrong, err error) {
	for _, s := range c.streams {
		for side, n := range s.users {
			after, read := s.lacks(side)
			if !read {
				continue
			}
			if err := c.users[n].read(c.ctx, s, c.users[s.users[1-side]].id, after); err != nil {
				return nil, fmt.Errorf("read what %s may have missed: %w", c.users[n].id, err)
			}
		}
		wrong = append(wrong, s.check(c.looks.near)...)
	}
	return wrong, nil
}

// close ends all sockets and waits for whatever is under way.
func (c *crowd) close() {
	c.end(nil)
	for _, u := range c.users {
		u.leave()
	}
	c.tasks.Wait()
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

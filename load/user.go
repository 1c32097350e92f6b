package load

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client/lean"
	"github.com/parley-im/parley/proto/wirepb"
)

// user is somebody with one device. It comes back by itself when its socket
// ends, and says again, as the same message, what was not answered.
type user struct {
	crowd  *crowd
	n      int
	id     string
	url    string
	device string

	mu      sync.Mutex
	conn    *lean.Conn // nil while it is away
	away    bool       // its socket has ended, and it is not back
	gone    bool       // for good
	last    uint32     // request
	out     map[uint32]*message
	redo    []*message // to be said once it is back
	talks   map[string]*stream
	met     int // cold conversations that it began
	acts    int
	next    func(*wirepb.Error) // does the next thing if the loop is closed
	deaf    atomic.Bool         // stopped reading at some time
	hush    chan struct{}       // set while it does not read
	storm   *storm              // it has to come back from
	waiting map[uint32]chan *wirepb.ServerFrame
}

// message is one on its way. What identifies it is the first half of its client
// message id; the second is when it was meant to be said, for its receiver.
type message struct {
	to       string
	stream   *stream
	id       []byte
	intended time.Time
	tries    int
	then     func(refusal *wirepb.Error) // called once it is answered for good; nil: acknowledged
}

func key(id []byte) uint64 { return binary.BigEndian.Uint64(id) }

func intended(id []byte) time.Time { return time.Unix(0, int64(binary.BigEndian.Uint64(id[8:]))) }

const tokenLife = 24 * time.Hour

// Attempts to log in, and how long is waited before another one at most.
const (
	loginAttempts = 60
	shortestWait  = 100 * time.Millisecond
	longestWait   = 4 * time.Second
)

// come logs in, with as many attempts as it takes while the refusals are those
// of a busy node.
func (u *user) come(ctx context.Context, again bool) error {
	for wait, attempt := shortestWait, 1; ; attempt++ {
		begin := time.Now()
		err := u.login(ctx, again)
		if err == nil {
			u.crowd.logins.add(time.Since(begin))
			return nil
		}
		if e := (*chat.Error)(nil); errors.As(err, &e) {
			if !e.Code.Retryable() {
				return err
			}
			u.crowd.refuse(e.Code)
		}
		if attempt == loginAttempts || ctx.Err() != nil {
			return err
		}
		if pause(ctx, rand.N(wait)) != nil {
			return err
		}
		wait = min(2*wait, longestWait)
	}
}

func (u *user) login(ctx context.Context, again bool) error {
	app := u.crowd.plan.App
	token, err := auth.Generate04(app.ID, u.id, app.Secret, tokenLife, time.Now(), crand.Reader)
	if err != nil {
		return err
	}
	var conn *lean.Conn
	dialled := make(chan struct{}) // closed once conn is known, so that its end is not told before
	defer close(dialled)
	conn, err = lean.Dial(ctx, lean.Options{
		URL: u.url, Frame: u.frame, Closed: func(error) {
			<-dialled
			if conn != nil {
				u.cut()
			}
		},
		Hello: &wirepb.Hello{
			ProtocolVersion: 1, AppId: uint32(app.ID), UserId: u.id, Token: token, DeviceId: u.device, Platform: "load", Resume: again,
		},
	})
	if err != nil {
		return err
	}
	u.mu.Lock()
	redo := u.redo
	u.redo = nil
	u.conn, u.away = conn, false
	back := u.storm
	u.storm = nil
	gone := u.gone
	u.mu.Unlock()
	u.crowd.sessions.Add(1)
	if gone {
		conn.Close()
	}
	if back != nil {
		back.returned()
	}
	for _, m := range redo {
		u.say(m)
	}
	return nil
}

// cut is called when a socket has ended. Pushes may have been lost with it.
func (u *user) cut() {
	u.mu.Lock()
	u.conn, u.away = nil, true
	for _, m := range u.out {
		u.redo = append(u.redo, m)
	}
	clear(u.out)
	for _, answer := range u.waiting {
		close(answer)
	}
	clear(u.waiting)
	talks := make([]*stream, 0, len(u.talks))
	for _, s := range u.talks {
		talks = append(talks, s)
	}
	gone := u.gone
	u.mu.Unlock()
	u.crowd.sessions.Add(-1)
	for _, s := range talks {
		s.doubt(s.side(u.n))
	}
	if gone || u.crowd.ctx.Err() != nil {
		return
	}
	u.crowd.reconnects.Add(1)
	u.crowd.tasks.Go(func() {
		if pause(u.crowd.ctx, rand.N(2*shortestWait)) != nil {
			return
		}
		if err := u.come(u.crowd.ctx, true); err != nil && u.crowd.ctx.Err() == nil {
			u.crowd.fail(fmt.Errorf("%s does not get back: %w", u.id, err))
		}
	})
}

// drop ends the socket, as a broken network would; the storm, if it is one,
// hears of the return.
func (u *user) drop(from *storm) {
	u.mu.Lock()
	if from != nil {
		u.storm = from
	}
	conn := u.conn
	u.mu.Unlock()
	if conn != nil { // else it is on its way back already
		conn.Close()
	}
}

// leave ends the socket for good.
func (u *user) leave() {
	u.mu.Lock()
	u.gone = true
	conn := u.conn
	u.mu.Unlock()
	u.listen(true)
	if conn != nil {
		conn.Close()
	}
}

// send says a new message, meant for the given time; then is called once it is
// acknowledged, or given up after a refusal.
func (u *user) send(to *user, s *stream, at time.Time, then func(refusal *wirepb.Error)) {
	m := &message{to: to.id, stream: s, id: make([]byte, 16), intended: at, then: then}
	_, _ = crand.Read(m.id[:8]) // never fails
	binary.BigEndian.PutUint64(m.id[8:], uint64(at.UnixNano()))
	u.crowd.outstanding.Add(1)
	u.say(m)
}

// say says a message, or keeps it until the user is back.
func (u *user) say(m *message) {
	u.mu.Lock()
	conn := u.conn
	if conn == nil {
		u.redo = append(u.redo, m)
		u.mu.Unlock()
		return
	}
	u.last++
	request := u.last + 1 // 1 was the hello
	u.out[request] = m
	if m.tries++; m.tries > 1 { // in the lock: from its end on somebody else may say it again
		u.crowd.retried.Add(1)
	}
	u.mu.Unlock()
	err := conn.Say(&wirepb.ClientFrame{Id: request, Body: &wirepb.ClientFrame_SendMessage{SendMessage: &wirepb.SendMessage{
		Conversation:    &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: m.to},
		ClientMessageId: m.id, IssuedAtMs: uint64(m.intended.UnixMilli()), Type: uint32(chat.TypeText), Content: u.crowd.content,
	}}})
	if err != nil {
		conn.Close() // cut sees to the rest
	}
}

func (u *user) ping() {
	u.mu.Lock()
	conn := u.conn
	u.last++
	request := u.last + 1
	u.mu.Unlock()
	if conn != nil {
		_ = conn.Say(&wirepb.ClientFrame{Id: request, Body: &wirepb.ClientFrame_Ping{Ping: &wirepb.Ping{}}})
	}
}

// frame takes what the node says.
func (u *user) frame(f *wirepb.ServerFrame) {
	u.mu.Lock()
	hush := u.hush
	m := u.out[f.ReplyTo]
	delete(u.out, f.ReplyTo)
	answer := u.waiting[f.ReplyTo]
	delete(u.waiting, f.ReplyTo)
	u.mu.Unlock()
	if hush != nil {
		<-hush
	}
	if answer != nil {
		answer <- f
		return
	}
	switch b := f.Body.(type) {
	case *wirepb.ServerFrame_SendMessage:
		if m != nil {
			u.sent(m, b.SendMessage)
		}
	case *wirepb.ServerFrame_Error:
		if m != nil {
			u.refused(m, b.Error)
		}
	case *wirepb.ServerFrame_Message:
		u.pushed(b.Message)
	case *wirepb.ServerFrame_Behind:
		u.crowd.looks.note()
		u.mu.Lock()
		defer u.mu.Unlock()
		for _, s := range u.talks {
			s.doubt(s.side(u.n))
		}
	case *wirepb.ServerFrame_Kicked:
		u.crowd.fail(fmt.Errorf("%s was logged out by the node: %v", u.id, b.Kicked.Reason))
	}
}

func (u *user) sent(m *message, b *wirepb.SendMessageReply) {
	m.stream.ack(m.stream.side(u.n), b.Seq, key(m.id))
	if took := time.Since(m.intended); !u.deaf.Load() {
		u.crowd.acks.add(took)
		if u.n >= u.crowd.plan.Storm {
			u.crowd.untouched.add(took)
		}
	}
	u.crowd.acked.Add(1)
	u.crowd.outstanding.Add(-1)
	m.then(nil)
}

// refused goes on after a refusal. A message whose outcome is unknown is said
// again; any other is given up, and nobody may ever see it.
func (u *user) refused(m *message, e *wirepb.Error) {
	u.crowd.refuse(chat.Code(e.Code))
	wait := time.Duration(e.RetryAfterMs)*time.Millisecond + rand.N(shortestWait)
	u.crowd.tasks.Go(func() {
		if pause(u.crowd.ctx, wait) != nil {
			return
		}
		if chat.Code(e.Code) == chat.CodeTimeout {
			u.say(m)
			return
		}
		u.crowd.outstanding.Add(-1)
		m.then(e)
	})
}

func (u *user) pushed(m *wirepb.Message) {
	peer := m.SenderId
	if peer == u.id { // what it sent itself, for one that comes back
		peer = m.TargetId
	}
	u.mu.Lock()
	s := u.talks[peer]
	u.mu.Unlock()
	if s == nil || len(m.ClientMessageId) != 16 {
		u.crowd.fail(fmt.Errorf("%s was told a message of %s that nobody has sent in this run", u.id, m.SenderId))
		return
	}
	if s.push(s.side(u.n), m.Seq, key(m.ClientMessageId)) || peer == m.TargetId {
		u.crowd.repeated.Add(1)
		u.crowd.looks.note()
		return
	}
	u.crowd.delivered.Add(1)
	if !u.deaf.Load() {
		u.crowd.e2e.add(time.Since(intended(m.ClientMessageId)))
	}
}

// listen has the user read what comes, or not.
func (u *user) listen(yes bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case yes && u.hush != nil:
		close(u.hush)
		u.hush = nil
	case !yes && u.hush == nil:
		u.hush = make(chan struct{})
	}
}

// page is how much of the history is read at once.
const page = 100

// read reads a conversation after a seq to its end.
func (u *user) read(ctx context.Context, s *stream, peer string, after uint64) error {
	for {
		h, err := u.history(ctx, &wirepb.QueryMessages{
			Conversation: &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: peer}, AfterSeq: after, Count: page,
		})
		if err != nil {
			return err
		}
		for _, m := range h.Messages {
			s.read(s.side(u.n), m.Seq, key(m.ClientMessageId))
		}
		if after = h.LastSeq; len(h.Messages) == 0 || after >= h.HeadSeq {
			return nil
		}
	}
}

// history asks for a page, again while the node is busy.
func (u *user) history(ctx context.Context, h *wirepb.QueryMessages) (*wirepb.QueryMessagesReply, error) {
	var last error
	for range loginAttempts {
		f, err := u.ask(ctx, &wirepb.ClientFrame{Body: &wirepb.ClientFrame_QueryMessages{QueryMessages: h}})
		if err != nil {
			return nil, err
		}
		if p := f.GetQueryMessages(); p != nil {
			return p, nil
		}
		last = errAway
		if e := f.GetError(); e != nil {
			if last = chat.Errorf(chat.Code(e.Code), "history", "%s", e.Message); !e.Retryable {
				return nil, last
			}
		}
		if err := pause(ctx, rand.N(2*shortestWait)); err != nil {
			return nil, err
		}
	}
	return nil, last
}

var errAway = errors.New("the user is not connected")

// ask asks for something and waits for the answer; nil when there is none, as
// the socket is not there or has ended.
func (u *user) ask(ctx context.Context, f *wirepb.ClientFrame) (*wirepb.ServerFrame, error) {
	answer := make(chan *wirepb.ServerFrame, 1)
	u.mu.Lock()
	conn := u.conn
	u.last++
	f.Id = u.last + 1
	if conn != nil {
		if u.waiting == nil {
			u.waiting = make(map[uint32]chan *wirepb.ServerFrame)
		}
		u.waiting[f.Id] = answer
	}
	u.mu.Unlock()
	if conn == nil || conn.Say(f) != nil {
		return nil, ctx.Err()
	}
	select {
	case got := <-answer:
		return got, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// unanswered are the conversations in which a message of the user is not
// answered.
func (u *user) unanswered() (all []*stream) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, m := range slices.Concat(u.redo, mapValues(u.out)) {
		all = append(all, m.stream)
	}
	return all
}

func mapValues(m map[uint32]*message) (all []*message) {
	for _, v := range m {
		all = append(all, v)
	}
	return all
}

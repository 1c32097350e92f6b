package load

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/parley-im/parley/auth"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/client/lean"
	"github.com/parley-im/parley/proto/wirepb"
)

// logins is how many users log in at the same time.
const logins = 64

// fleet is a number of users, each talking to the neighbour whose number
// differs in the last bit.
type fleet struct {
	users []*user
	body  []byte

	closedLoop atomic.Bool // every ack is followed by the next send
	acked      atomic.Int64
	delivered  atomic.Int64
	refused    atomic.Int64
	cut        atomic.Int64

	mu      sync.Mutex
	latency *hdrhistogram.Histogram // µs from the intended send to the push
}

// user is one socket. Fields belong to its reader, but for sending.
type user struct {
	fleet *fleet
	peer  string
	conn  *lean.Conn

	mu   sync.Mutex
	next uint32

	seqs *sequence // shared by both ends of a conversation
	side int
}

// sequence checks a conversation from both ends: each side sees every seq once,
// pushes in ascending order.
type sequence struct {
	mu     sync.Mutex
	pushed [2]uint64 // last push by side
	seen   [2]map[uint64]bool
	wrong  []string
}

func newFleet(bodyBytes int) *fleet {
	return &fleet{body: []byte(strings.Repeat("x", bodyBytes)), latency: hdrhistogram.New(1, 60_000_000, 3)}
}

// grow logs in users up to n.
func (f *fleet) grow(ctx context.Context, url string, app auth.App, n int) error {
	first := len(f.users)
	for i := first; i < n; i++ {
		u := &user{fleet: f, peer: name(i ^ 1), side: i & 1, next: 1}
		if u.side == 0 {
			u.seqs = &sequence{seen: [2]map[uint64]bool{{}, {}}}
		} else {
			u.seqs = f.users[i-1].seqs
		}
		f.users = append(f.users, u)
	}
	errs := make(chan error, n-first)
	slots := make(chan struct{}, logins)
	for i := first; i < n; i++ {
		slots <- struct{}{}
		go func() {
			errs <- f.users[i].login(ctx, url, app, name(i))
			<-slots
		}()
	}
	for range n - first {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

func name(i int) string { return fmt.Sprintf("user-%d", i) }

func (u *user) login(ctx context.Context, url string, app auth.App, id string) error {
	token, err := auth.Generate04(app.ID, id, app.Secret, time.Hour, time.Now(), rand.Reader)
	if err != nil {
		return err
	}
	u.conn, err = lean.Dial(ctx, lean.Options{
		URL: url, Frame: u.frame, Closed: func(error) { u.fleet.cut.Add(1) },
		Hello: &wirepb.Hello{ProtocolVersion: 1, AppId: uint32(app.ID), UserId: id, Token: token, DeviceId: "load", Platform: "load"},
	})
	return err
}

// send says the next message, meant for the given time.
func (u *user) send(intended time.Time) error {
	id := make([]byte, 16)
	_, _ = rand.Read(id[:8]) // never fails
	binary.BigEndian.PutUint64(id[8:], uint64(intended.UnixNano()))
	u.mu.Lock()
	u.next++
	request := u.next
	u.mu.Unlock()
	return u.conn.Say(&wirepb.ClientFrame{Id: request, Body: &wirepb.ClientFrame_Send{Send: &wirepb.Send{
		Conversation:    &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: u.peer},
		ClientMessageId: id, IssuedAtMs: uint64(intended.UnixMilli()), Type: uint32(chat.TypeText), Body: u.fleet.body,
	}}})
}

// frame takes an ack, a push or a refusal.
func (u *user) frame(f *wirepb.ServerFrame) {
	switch b := f.Body.(type) {
	case *wirepb.ServerFrame_Sent:
		u.seqs.ack(u.side, b.Sent.Seq)
		u.fleet.acked.Add(1)
		if u.fleet.closedLoop.Load() && u.send(time.Now()) != nil {
			u.fleet.cut.Add(1)
		}
	case *wirepb.ServerFrame_Message:
		u.seqs.push(u.side, b.Message.Seq)
		u.fleet.delivered.Add(1)
		u.fleet.record(time.Since(time.Unix(0, int64(binary.BigEndian.Uint64(b.Message.ClientMessageId[8:])))))
	case *wirepb.ServerFrame_Error:
		u.fleet.refused.Add(1)
	}
}

func (f *fleet) record(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = f.latency.RecordValue(max(d.Microseconds(), 1)) // above a minute is the histogram's top
}

func (s *sequence) ack(side int, seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(side, seq)
}

func (s *sequence) push(side int, seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seq <= s.pushed[side] {
		s.wrong = append(s.wrong, fmt.Sprintf("push %d after %d", seq, s.pushed[side]))
	}
	s.pushed[side] = seq
	s.note(side, seq)
}

func (s *sequence) note(side int, seq uint64) {
	if s.seen[side][seq] {
		s.wrong = append(s.wrong, fmt.Sprintf("seq %d twice", seq))
	}
	s.seen[side][seq] = true
}

// check says what is missing, doubled or out of order once everything has
// arrived.
func (f *fleet) check() []string {
	var wrong []string
	for i := 0; i < len(f.users); i += 2 {
		s := f.users[i].seqs
		s.mu.Lock()
		for side := range s.seen {
			if s.seen[side][0] || len(s.seen[side]) > 0 && !s.seen[side][uint64(len(s.seen[side]))] {
				wrong = append(wrong, fmt.Sprintf("%s side %d has a gap", name(i), side))
			}
		}
		if len(s.seen[0]) != len(s.seen[1]) {
			wrong = append(wrong, fmt.Sprintf("%s: the sides saw %d and %d messages", name(i), len(s.seen[0]), len(s.seen[1])))
		}
		wrong = append(wrong, s.wrong...)
		s.mu.Unlock()
	}
	return wrong
}

func (f *fleet) close() {
	for _, u := range f.users {
		if u.conn != nil {
			u.conn.Close()
		}
	}
}

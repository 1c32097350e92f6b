package session_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/actors/session"
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/directory"
	"github.com/parley-im/parley/proto/actorpb"
	"github.com/parley-im/parley/proto/logpb"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// library is a node that leads all shards, with conversations of ann in them.
type library struct {
	storage.Replicator
	*testing.T
	dir  *directory.Directory
	sys  *actor.ActorSystem
	sets chan struct{} // readings of ann's whole set
	kept chan struct{} // looks that are held
	boom atomic.Bool   // the next read panics its handler

	closed sync.Once

	mu      sync.Mutex
	heads   map[string]chat.Head // by peer
	marks   map[string]chat.Mark
	order   []string
	content []byte
	now     int64         // of the newest message
	bodies  int           // messages that were read
	asked   int           // looks in all
	looks   int           // under way, while held
	most    int           // at once
	held    []func()      // answers
	hold    bool          // looks wait for release
	refuse  *actorpb.Seen // answered instead, if set
	code    chat.Code     // refused with, if set
}

const libraryShards = 64

func (l *library) Shards() int                                  { return libraryShards }
func (l *library) Leader(storage.ShardID) (storage.Term, error) { return 1, nil }

func (l *library) Read(_ storage.ShardID, by storage.Asker, read func(storage.View) error, done func(error)) {
	if by.ID == "" {
		l.Error("somebody without a name reads")
	}
	if l.boom.Swap(false) {
		panic("a bug")
	}
	done(read(set{l: l}))
}

// set is ann's conversations, all unread.
type set struct {
	storage.View
	l *library
}

func (s set) Memberships(_ chat.UserKey, visit func(chat.ConversationKey, chat.Membership) bool) error {
	s.l.sets <- struct{}{}
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	for _, peer := range s.l.order {
		if !visit(with(peer), chat.Membership{Mark: s.l.marks[peer]}) {
			break
		}
	}
	return nil
}

func (s set) Membership(chat.UserKey, chat.ConversationKey) (chat.Membership, bool, error) {
	return chat.Membership{}, true, nil
}

// newLibrary makes n conversations whose order is drawn, some at the same time.
func newLibrary(t *testing.T, n int, content []byte) *library {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	l := &library{T: t, heads: make(map[string]chat.Head), marks: make(map[string]chat.Mark), content: content, sets: make(chan struct{}, 1000), kept: make(chan struct{}, 1000), sys: actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }), actor.WithDeadLetterThrottleInterval(time.Millisecond))}
	for i := range n {
		peer := fmt.Sprint("p", i)
		at := uint64(1 + rand.N(n))
		l.order = append(l.order, peer)
		l.heads[peer] = chat.Head{Seq: 1, Time: int64(at), OrderKey: at * 1000, Counted: 1, Own: [2]uint64{0, 1}}
	}
	l.now = int64(n)
	l.dir = directory.New(directory.Options{System: l.sys, Node: "n1", Replicator: l, Idle: time.Hour, Log: quiet})
	l.dir.Register(directory.Shard, func(directory.Activation) actor.Actor { return actor.ReceiveFunc(l.receive) })
	l.dir.Register(directory.Session, session.New(session.Options{System: l.sys, Replicator: l, Tables: session.NewTables(), Limits: limits, Now: time.Now}))
	l.dir.Start()
	t.Cleanup(l.close)
	return l
}

func (l *library) close() {
	l.closed.Do(func() {
		if err := l.dir.Close(context.Background()); err != nil {
			l.Error(err)
		}
		l.sys.Shutdown()
	})
}

// receive is a shard's actor.
func (l *library) receive(ctx actor.Context) {
	m, ok := ctx.Message().(*actorpb.Look)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	to := ctx.Sender()
	answer := func() { l.sys.Root.Send(to, l.seen(m)) }
	if !l.hold {
		answer()
		return
	}
	l.looks++
	l.most = max(l.most, l.looks)
	l.held = append(l.held, answer)
	l.kept <- struct{}{}
}

func (l *library) seen(m *actorpb.Look) any {
	switch {
	case l.code != 0:
		return actorpb.Refuse(m.Request, "test", chat.Errorf(l.code, "test", "refused"))
	case l.refuse != nil:
		return &actorpb.Seen{Request: m.Request}
	}
	seen := &actorpb.Seen{Request: m.Request}
	for _, k := range m.Conversations {
		peer, _ := k.Chat().Other(ann.ID)
		head := l.heads[peer]
		h := &actorpb.HeadSeen{Head: logpb.From[logpb.Head](&head)}
		if !m.HeadsOnly {
			l.bodies++
			h.Last = logpb.From[logpb.Entry](&chat.Entry{Seq: head.Seq, Sender: peer, Time: head.Time, OrderKey: head.OrderKey, Kind: chat.EntryMessage, Type: chat.TypeText, Content: l.content})
		}
		seen.Heads = append(seen.Heads, h)
	}
	for _, u := range m.Users {
		seen.Users = append(seen.Users, &actorpb.UserSeen{User: &logpb.User{Name: "the name of " + u}})
	}
	return seen
}

// release answers what was held, and what comes from now on.
func (l *library) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hold, l.looks = false, 0
	for _, answer := range l.held {
		answer()
	}
	l.held = nil
}

func (l *library) set(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// connection is one of ann's, that asks for lists.
func (l *library) connection(name string) (*actor.PID, device) {
	d := make(device, 1000)
	pid, _ := l.sys.ProcessRegistry.Add(d, name)
	return pid, d
}

func (l *library) ask(from *actor.PID, m any) {
	l.Helper()
	if err := l.dir.Send(directory.SessionOf(ann), m, from); err != nil {
		l.Fatal(err)
	}
}

func (d device) page(t *testing.T) *wirepb.ListConversationsReply {
	t.Helper()
	m := d.next(t)
	a, ok := m.(*actorpb.Answer)
	if !ok || a.Error != nil {
		t.Fatalf("got %v, want a page", m)
	}
	return a.Reply.(*wirepb.ListConversationsReply)
}

// answer waits for that of one request. A session that panics answers twice, by
// its guard and as it stops, and the second answer may come after the next request.
func (d device) answer(t *testing.T, request uint32) any {
	t.Helper()
	for {
		if m, ok := d.next(t).(interface{ GetRequest() uint32 }); ok && m.GetRequest() == request {
			return m
		}
	}
}

func list(request, count uint32) *actorpb.Ask {
	return listing(request, &wirepb.ListConversations{Count: count})
}

func listing(request uint32, q *wirepb.ListConversations) *actorpb.Ask {
	return asking(request, "ListConversations", q)
}

func asking(request uint32, path string, q actorpb.Message) *actorpb.Ask {
	body, err := q.MarshalVT()
	if err != nil {
		panic(err)
	}
	return &actorpb.Ask{Request: request, Method: method.ByPath(path).Number, AppId: uint32(ann.App), UserId: ann.ID, Body: body}
}

// TestPagesShowEverythingOnceInOrder pages through lists of several sizes.
func TestPagesShowEverythingOnceInOrder(t *testing.T) {
	for _, c := range []struct{ n, count, body int }{{1, 1, 1}, {300, 7, 1}, {1000, 500, 1}, {200, 500, 32 << 10}, {0, 5, 1}} {
		l := newLibrary(t, c.n, make([]byte, c.body))
		pid, d := l.connection("d")
		slices.SortFunc(l.order, func(a, b string) int {
			return cmp.Or(cmp.Compare(l.heads[b].OrderKey, l.heads[a].OrderKey), cmp.Compare(a, b))
		})
		var got []string
		ask := &wirepb.ListConversations{Count: uint32(c.count)}
		for pages := 1; ; pages++ {
			l.ask(pid, listing(1, ask))
			p := d.page(t)
			bytes := 0
			for _, v := range p.Conversations {
				got = append(got, v.Ref.Id)
				bytes += len(v.LastMessage.Content)
				if v.Name != "the name of "+v.Ref.Id || v.Unread != 1 {
					t.Fatalf("%s is shown as %q with %d unread", v.Ref.Id, v.Name, v.Unread)
				}
			}
			if p.GetTotalUnread() != uint64(c.n) || len(p.Conversations) > c.count || len(p.Conversations) > 1 && bytes > 512<<10 {
				t.Fatalf("%d unread, %d conversations, %d bytes", p.GetTotalUnread(), len(p.Conversations), bytes)
			}
			if p.Complete {
				break
			}
			last := p.Conversations[len(p.Conversations)-1]
			ask.BeforeOrderKey, ask.Before = last.OrderKey, last.Ref
			if pages > c.n {
				t.Fatalf("%d pages, and no end", pages)
			}
		}
		if !slices.Equal(got, l.order) {
			t.Errorf("%d conversations by %d: %d are listed, or in another order", c.n, c.count, len(got))
		}
	}
}

func TestAListReadsOnlyTheMessagesThatItShows(t *testing.T) {
	l := newLibrary(t, 3000, []byte("x"))
	pid, d := l.connection("d")
	l.ask(pid, list(1, 1))
	if p := d.page(t); len(p.Conversations) != 1 || p.Complete {
		t.Errorf("the page is %v", p)
	}
	l.set(func() {
		if l.bodies != 1 {
			t.Errorf("%d messages were read for one", l.bodies)
		}
	})
}

// TestHoweverManyListsAreAskedForOneRuns has many devices ask at once.
func TestHoweverManyListsAreAskedForOneRuns(t *testing.T) {
	l := newLibrary(t, 1000, []byte("x"))
	l.set(func() { l.hold = true })
	first, d1 := l.connection("first")
	l.ask(first, list(1, 1))
	<-l.sets
	second, d2 := l.connection("second")
	const asked = 200
	for r := range uint32(asked) {
		l.ask(second, list(r+1, 1))
	}
	const waiting = 16 - 1 // beside the first
	for range asked - waiting {
		if m, ok := d2.next(t).(*actorpb.Answer); !ok || chat.Code(m.Error.GetCode()) != chat.CodeBusy {
			t.Fatalf("got %v, want Busy", m)
		}
	}
	l.release()
	if p := d1.page(t); len(p.Conversations) != 1 {
		t.Errorf("the first page is %v", p)
	}
	for range waiting {
		if p := d2.page(t); len(p.Conversations) != 1 {
			t.Errorf("a page is %v", p)
		}
	}
	if len(l.sets) != 0 {
		t.Errorf("those that waited made the set be read %d more times", len(l.sets))
	}
	l.set(func() {
		if l.most > 4 {
			t.Errorf("%d shards were asked at once", l.most)
		}
	})
}

// TestAListOfADepartedConnectionIsGivenUp: nothing more is read for it.
func TestAListOfADepartedConnectionIsGivenUp(t *testing.T) {
	l := newLibrary(t, 1000, []byte("x"))
	l.set(func() { l.hold = true })
	gone, _ := l.connection("gone")
	for r := range uint32(10) {
		l.ask(gone, list(r+1, 1))
	}
	<-l.sets
	l.ask(gone, &actorpb.Detach{})
	other, d := l.connection("other")
	l.ask(other, listing(1, &wirepb.ListConversations{})) // once this is answered, the other has gone
	if m, ok := d.next(t).(*actorpb.Answer); !ok || m.Request != 1 || m.Error == nil {
		t.Fatalf("got %v, want the refusal of a count of 0", m)
	}
	l.release()
	l.ask(other, list(2, 1))
	d.page(t)
	l.set(func() {
		if l.asked > libraryShards+2+4 {
			t.Errorf("%d looks, want those of the other's list, and the few that were under way", l.asked)
		}
		if l.bodies != 1 {
			t.Errorf("%d messages were read", l.bodies)
		}
	})
}

// TestAListWhoseShardFailsIsRefusedAndTheNextGoesOn: a shard moves, or answers
// what was not asked.
func TestAListWhoseShardFailsIsRefusedAndTheNextGoesOn(t *testing.T) {
	l := newLibrary(t, 1000, []byte("x"))
	pid, d := l.connection("d")
	for _, fail := range []struct {
		with func()
		code chat.Code
	}{
		{func() { l.code = chat.CodeUnavailable }, chat.CodeUnavailable},
		{func() { l.refuse = &actorpb.Seen{} }, chat.CodeInternal},
	} {
		l.set(fail.with)
		l.ask(pid, list(1, 1))
		if m, ok := d.next(t).(*actorpb.Answer); !ok || m.Request != 1 || chat.Code(m.Error.GetCode()) != fail.code {
			t.Errorf("got %v, want %d", m, fail.code)
		}
		l.set(func() { l.code, l.refuse = 0, nil })
		l.ask(pid, list(2, 500))
		if p := d.page(t); len(p.Conversations) != 500 {
			t.Errorf("the next page has %d conversations", len(p.Conversations))
		}
	}
	if l.dir.Panics() != 0 {
		t.Errorf("%d handlers panicked", l.dir.Panics())
	}
}

func TestOnlySomeConversationsAreListedWithTheirOwn(t *testing.T) {
	l := newLibrary(t, 100, []byte("x"))
	pid, d := l.connection("d")
	only := &wirepb.ListConversations{}
	for _, peer := range []string{"p3", "nobody", "p77"} {
		only.Only = append(only.Only, &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: peer})
	}
	l.ask(pid, listing(1, only))
	var got []string
	p := d.page(t)
	for _, v := range p.Conversations {
		got = append(got, v.Ref.Id)
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"p3", "p77"}) || p.TotalUnread != nil || len(l.sets) != 0 {
		t.Errorf("got %v, %v unread, %d readings of the whole set", got, p.TotalUnread, len(l.sets))
	}
}

// TestWhateverPanicsIsAnsweredAndTheNextSessionWorks has each request panic its
// handler while a list is under way.
func TestWhateverPanicsIsAnsweredAndTheNextSessionWorks(t *testing.T) {
	l := newLibrary(t, 100, []byte("x"))
	pid, d := l.connection("d")
	request := uint32(100)
	for name, m := range map[string]any{
		"a login":        &actorpb.Attach{Request: 7, UserId: ann.ID, DeviceId: "d"}, // proposes, which the library cannot
		"a resumed one":  &actorpb.Attach{Request: 7, UserId: ann.ID, DeviceId: "d", Resume: true},
		"an enrolment":   &actorpb.Enroll{Request: 7},
		"a list of some": listing(7, &wirepb.ListConversations{Count: 1}),
		"a mark": asking(7, "ClearUnread", &wirepb.ClearUnread{
			Conversation: &wirepb.ConversationRef{Kind: wirepb.ConversationKind_CONVERSATION_KIND_PEER, Id: "p1"},
		}),
	} {
		l.dir.Lost(l.dir.Shard(directory.SessionOf(ann))) // the session that keeps a list
		l.ask(pid, &actorpb.Detach{})                     // makes another, so that the panic is the request's
		l.boom.Store(true)
		l.ask(pid, m)
		if r, ok := d.answer(t, 7).(*actorpb.Answer); !ok || r.Error == nil {
			t.Fatalf("%s is answered by %v", name, r)
		}
		l.boom.Store(false)
		request++
		l.ask(pid, list(request, 1))
		if m, ok := d.answer(t, request).(*actorpb.Answer); !ok || m.Error != nil {
			t.Fatalf("after %s a list is answered by %v", name, m)
		}
	}
	if l.dir.Panics() != 5 {
		t.Errorf("%d panics, want 5", l.dir.Panics())
	}
}

package link_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/parley-im/parley/cluster/link"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen; nothing depends on
// how long it takes unless a test says so.
const patience = 20 * time.Second

// event is an Up or Down.
type event struct {
	up   bool
	node storage.NodeID
}

type arrival struct {
	from storage.NodeID
	m    *peerpb.Message
}

// node is a link under test and what it told.
type node struct {
	*link.Link
	t      *testing.T
	id     storage.NodeID
	addr   string
	events chan event
	got    chan arrival
	logged chan string
}

// start makes a node that refuses snapshots; change may alter its options.
func start(t *testing.T, id storage.NodeID, change ...func(*link.Options)) *node {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &node{
		t: t, id: id, addr: listener.Addr().String(),
		events: make(chan event, 1024), got: make(chan arrival, 1<<13), logged: make(chan string, 1024),
	}
	o := link.Options{
		Node: id, Cluster: "test", Origin: 1, Listener: listener,
		Receive: func(from storage.NodeID, m *peerpb.Message) { n.got <- arrival{from, m} },
		Up:      func(other storage.NodeID) { n.events <- event{true, other} },
		Down:    func(other storage.NodeID) { n.events <- event{false, other} },
		Snapshot: func(storage.NodeID, *peerpb.Message) (link.Sink, error) {
			return nil, fmt.Errorf("no snapshots here")
		},
		Silence: patience / 2, // a busy machine is not what most tests are about
		Log:     slog.New(slog.NewTextHandler(lines(n.logged), nil)),
	}
	for _, f := range change {
		f(&o)
	}
	if n.Link, err = link.New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.stop)
	return n
}

// lines is a writer of log lines.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	select {
	case l <- string(p):
	default:
	}
	return len(p), nil
}

func (n *node) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := n.Close(ctx); err != nil {
		n.t.Error(err)
	}
}

// watchful is the default of Silence.
func watchful(o *link.Options) { o.Silence = 0 }

// pair starts two nodes that know each other and waits until they are up.
func pair(t *testing.T, change ...func(*link.Options)) (a, b *node) {
	t.Helper()
	a, b = start(t, "a", change...), start(t, "b", change...)
	b.SetPeer("a", a.addr)
	a.SetPeer("b", b.addr)
	a.wantUp("b")
	b.wantUp("a")
	return a, b
}

// proxied is pair with a proxy for what a dials.
func proxied(t *testing.T, change ...func(*link.Options)) (a, b *node, p *proxy) {
	t.Helper()
	a, b = start(t, "a", change...), start(t, "b", change...)
	p = startProxy(t, b.addr)
	b.SetPeer("a", a.addr)
	a.SetPeer("b", p.addr)
	a.wantUp("b")
	b.wantUp("a")
	return a, b, p
}

func (n *node) wantUp(other storage.NodeID) {
	n.t.Helper()
	n.want(event{true, other})
}

func (n *node) wantDown(other storage.NodeID) {
	n.t.Helper()
	n.want(event{false, other})
}

func (n *node) want(e event) {
	n.t.Helper()
	if got := wait(n.t, n.events); got != e {
		n.t.Fatalf("%s: got %v, want %v", n.id, got, e)
	}
}

// wantLog waits for a log line that has the text.
func (n *node) wantLog(text string) {
	n.t.Helper()
	for {
		if line := wait(n.t, n.logged); strings.Contains(line, text) {
			return
		}
	}
}

func wait[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

// message is one whose contents tell its number.
func message(number, size int) *peerpb.Message {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(number + i)
	}
	return &peerpb.Message{
		Shard: 7, Kind: peerpb.Kind_KIND_RAFT, Term: 3, Index: uint64(number),
		Entries: []*peerpb.Entry{{Index: uint64(number), Term: 3, Data: data}},
	}
}

// heartbeat is a message without entries.
func heartbeat(number int) *peerpb.Message {
	return &peerpb.Message{Shard: 7, Kind: peerpb.Kind_KIND_RAFT, Index: uint64(number)}
}

// wantMessage waits for message(number, size) from another node.
func (n *node) wantMessage(from storage.NodeID, want *peerpb.Message) {
	n.t.Helper()
	got := wait(n.t, n.got)
	if got.from != from || !equal(got.m, want) {
		n.t.Fatalf("got message %d from %s, want %d from %s", got.m.Index, got.from, want.Index, from)
	}
}

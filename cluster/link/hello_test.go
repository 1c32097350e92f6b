package link

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// host is a link of node "m" that knows "a" and "z".
type host struct {
	*Link
	t      *testing.T
	addr   string
	events chan string
	logged chan string
	gate   chan struct{} // each Down waits for a token
}

func (h *host) Write(p []byte) (int, error) {
	h.logged <- string(p)
	return len(p), nil
}

func newHost(t *testing.T, snapshot func(storage.NodeID, *peerpb.Message) (Sink, error)) *host {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, addr: listener.Addr().String(), events: make(chan string, 100), logged: make(chan string, 100), gate: make(chan struct{}, 100)}
	for range 90 {
		h.gate <- struct{}{}
	}
	if snapshot == nil {
		snapshot = func(storage.NodeID, *peerpb.Message) (Sink, error) { return nil, ErrBusy }
	}
	h.Link, err = New(Options{
		Node: "m", Cluster: "test", Speaks: chat.Versions{Oldest: 2, Newest: 4}, Agreed: func() uint32 { return 3 }, Listener: listener, Snapshot: snapshot, Silence: time.Hour, // strangers do not ping
		Receive: func(from storage.NodeID, m *peerpb.Message) { h.events <- string(m.Context) },
		Up:      func(storage.NodeID) { h.events <- "up" },
		Down:    func(storage.NodeID) { <-h.gate; h.events <- "down" },
		Log:     slog.New(slog.NewTextHandler(h, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.SetPeer("a", "127.0.0.1:1")
	t.Cleanup(func() {
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *host) wantEvents(all ...string) {
	h.t.Helper()
	for _, want := range all {
		if got := within(h.t, h.events); got != want {
			h.t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func within[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

// stranger dials by hand.
func (h *host) stranger() *conn {
	h.t.Helper()
	raw, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	c := newConn(raw, new(counters))
	h.t.Cleanup(c.close)
	return c
}

// as is a stranger past a node's handshake.
func (h *host) as(hello *peerpb.Hello) *conn {
	h.t.Helper()
	c := h.hail(hello)
	if err := c.send(&peerpb.Verdict{Welcome: true}); err != nil {
		h.t.Fatal(err)
	}
	if _, err := c.read(maxHello); err != nil {
		h.t.Fatal(err)
	}
	return c
}

// hail is a stranger past both hellos.
func (h *host) hail(hello *peerpb.Hello) *conn {
	h.t.Helper()
	c := h.stranger()
	if err := c.send(hello); err != nil {
		h.t.Fatal(err)
	}
	if theirs, err := c.readHello(); err != nil || theirs.Node != "m" {
		h.t.Fatal(theirs, err)
	}
	return c
}

func helloOf(node string, purpose peerpb.Purpose, change ...func(*peerpb.Hello)) *peerpb.Hello {
	h := &peerpb.Hello{Oldest: 2, Newest: 4, Cluster: "test", Node: node, Purpose: purpose}
	for _, f := range change {
		f(h)
	}
	return h
}

const (
	forMessages  = peerpb.Purpose_PURPOSE_MESSAGES
	forSnapshots = peerpb.Purpose_PURPOSE_SNAPSHOTS
)

func TestWhoDoesNotBelongIsRefusedWithAReason(t *testing.T) {
	t.Parallel()
	garbage := make([]byte, 100)
	huge := make([]byte, headerSize+maxHello+1)
	text := append(make([]byte, headerSize), "GET / HTTP/1.1"...)
	seal(huge)
	seal(text)
	hello := func(h *peerpb.Hello) func(*conn) error { return func(c *conn) error { return c.send(h) } }
	raw := func(b []byte) func(*conn) error {
		return func(c *conn) error { _, err := c.net.Write(b); return err }
	}
	for name, test := range map[string]struct {
		say    func(*conn) error
		reason string
	}{
		"version":         {hello(helloOf("a", forMessages, func(h *peerpb.Hello) { h.Oldest, h.Newest = 5, 6 })), "speaks versions 5 to 6, this one versions 2 to 4"},
		"before version":  {hello(helloOf("a", forMessages, func(h *peerpb.Hello) { h.Newest = 2 })), "speaks version 2, its cluster version 3"},
		"after version":   {hello(helloOf("a", forMessages, func(h *peerpb.Hello) { h.Oldest = 4 })), "speaks version 4, its cluster version 3"},
		"later cluster":   {hello(helloOf("a", forMessages, func(h *peerpb.Hello) { h.Newest, h.Agreed = 5, 5 })), `this node speaks versions 2 to 4, the cluster of node \"a\" version 5`},
		"cluster":         {hello(helloOf("a", forMessages, func(h *peerpb.Hello) { h.Cluster = "prod" })), `is of cluster \"prod\"`},
		"own ID":          {hello(helloOf("m", forMessages)), "has the ID of this node"},
		"another's":       {hello(helloOf("a", forMessages, func(h *peerpb.Hello) { h.To = "l" })), `looks for node \"l\" here`},
		"unknown":         {hello(helloOf("b", forMessages)), "not known here"},
		"higher ID":       {hello(helloOf("z", forMessages)), "its ID is the higher one"},
		"unknown purpose": {hello(helloOf("a", 9)), "purpose 9"},
		"no hello":        {raw(text), "no hello"},
		"garbage":         {raw(garbage), "damaged"},
		"huge":            {raw(huge), "longer than allowed"},
		"mute":            {func(*conn) error { return nil }, "silent for 1s"},
		"half a hello":    {raw(text[:headerSize]), "no hello within 5s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, nil)
			if name == "higher ID" {
				h.SetPeer("z", "127.0.0.1:1")
				within(t, h.logged) // not reached
			}
			c := h.stranger()
			if err := test.say(c); err != nil {
				t.Fatal(err)
			}
			if line := within(t, h.logged); !strings.Contains(line, test.reason) {
				t.Errorf("logged %q, want %q in it", line, test.reason)
			}
			for err := error(nil); err == nil; { // perhaps past a hello
				_, err = c.read(MaxFrame)
			}
			if len(h.events) != 0 {
				t.Errorf("told %q", <-h.events)
			}
		})
	}
}

func TestADialerSeesWhyItIsRefused(t *testing.T) {
	t.Parallel()
	for reason, answer := range map[string]*peerpb.Hello{
		"speaks version 7":        helloOf("z", forMessages, func(h *peerpb.Hello) { h.Oldest, h.Newest = 7, 7 }),
		"the cluster of node":     helloOf("z", forMessages, func(h *peerpb.Hello) { h.Newest, h.Agreed = 7, 7 }),
		`is of cluster \"prod\"`:  helloOf("z", forMessages, func(h *peerpb.Hello) { h.Cluster = "prod" }),
		`it is node \"y\"`:        helloOf("y", forMessages),
		"hung up without a hello": nil,
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, nil)
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			h.SetPeer("z", listener.Addr().String())
			raw, err := listener.Accept()
			if err != nil {
				t.Fatal(err)
			}
			c := newConn(raw, new(counters))
			if theirs, err := c.readHello(); err != nil || theirs.Node != "m" || theirs.Purpose != forMessages || theirs.To != "z" {
				t.Fatal(theirs, err)
			}
			if answer != nil {
				if err := c.send(answer); err != nil {
					t.Fatal(err)
				}
			}
			defer c.close()
			if answer == nil {
				c.close()
			}
			if line := within(t, h.logged); !strings.Contains(line, reason) {
				t.Errorf("logged %q, want %q in it", line, reason)
			}
			if len(h.events) != 0 {
				t.Errorf("told %q", <-h.events)
			}
		})
	}
}

func TestALaterConnectionReplacesAnEarlierOne(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	conns := []*conn{h.as(helloOf("a", forMessages))}
	h.wantEvents("up")
	for i := range 20 {
		conns = append(conns, h.as(helloOf("a", forMessages, func(h *peerpb.Hello) { h.Origin = uint64(i) })))
		h.wantEvents("down", "up")
		for err := error(nil); err == nil; {
			_, err = conns[i].read(MaxFrame)
		}
	}
	_ = conns[0].send(&peerpb.Message{Context: []byte("from the dead")})
	frame := appendMessage(make([]byte, headerSize), &peerpb.Message{Context: []byte("hi")}, 4)
	if err := conns[20].write(frame); err != nil {
		t.Fatal(err)
	}
	h.wantEvents("hi")
	conns[20].close()
	h.wantEvents("down")
}

// TestADialThatWasForAnotherNodeChangesNothing is about an address that passed
// from one node to another, while some look for the old one there.
func TestADialThatWasForAnotherNodeChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	c := h.as(helloOf("a", forMessages, func(h *peerpb.Hello) { h.To = "m" }))
	h.wantEvents("up")
	h.hail(helloOf("a", forMessages, func(h *peerpb.Hello) { h.To = "l" }))
	for line := ""; !strings.Contains(line, "looks for node"); {
		line = within(t, h.logged)
	}
	frame := appendMessage(make([]byte, headerSize), &peerpb.Message{Context: []byte("hi")}, 4)
	if err := c.write(frame); err != nil {
		t.Fatal(err)
	}
	h.wantEvents("hi")
}

func TestARemovedPeersSuccessorIsUpAfterItsDown(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	h.as(helloOf("a", forMessages))
	h.wantEvents("up")
	for len(h.gate) > 0 {
		<-h.gate
	}
	h.RemovePeer("a")
	h.SetPeer("a", "127.0.0.1:1")
	h.as(helloOf("a", forMessages))
	select {
	case e := <-h.events:
		t.Errorf("%q before Down returned", e)
	case <-time.After(200 * time.Millisecond):
	}
	h.gate <- struct{}{}
	h.wantEvents("down", "up")
	h.gate <- struct{}{}
}

// partial is a sink that counts how it ends.
type partial struct{ ends chan string }

func (p *partial) Write([]byte) error            { return nil }
func (p *partial) Install(context.Context) error { p.ends <- "installed"; return nil }
func (p *partial) Discard() error                { p.ends <- "discarded"; return nil }

func TestChunksThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	sink := &partial{ends: make(chan string, 1)}
	h := newHost(t, func(storage.NodeID, *peerpb.Message) (Sink, error) { return sink, nil })
	first := &peerpb.Chunk{Rows: []byte("rows")}
	for name, test := range map[string]struct {
		chunks []*peerpb.Chunk
		want   error
	}{
		"again":    {[]*peerpb.Chunk{first, first}, ErrOrder},
		"gap":      {[]*peerpb.Chunk{first, {Number: 2, Rows: []byte("rows")}}, ErrOrder},
		"late":     {[]*peerpb.Chunk{{Number: 1, Rows: []byte("rows")}}, ErrOrder},
		"checksum": {[]*peerpb.Chunk{first, {Number: 1, Last: true, Checksum: 1}}, ErrChecksum},
	} {
		t.Run(name, func(t *testing.T) {
			c := h.as(helloOf("a", forSnapshots))
			if err := c.send(&peerpb.Message{Shard: 1}); err != nil {
				t.Fatal(err)
			}
			for _, chunk := range test.chunks {
				if err := c.send(chunk); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.awaitInstalled(); err == nil || !strings.Contains(err.Error(), test.want.Error()) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if end := within(t, sink.ends); end != "discarded" {
				t.Error(end)
			}
		})
	}
}

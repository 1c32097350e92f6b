package link_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/cluster/link"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// sink keeps what it is given.
type sink struct {
	rows    bytes.Buffer
	ends    chan string // "installed" or "discarded", once
	write   func() error
	install func(context.Context) error
}

func (s *sink) Write(rows []byte) error {
	s.rows.Write(rows)
	if s.write != nil {
		return s.write()
	}
	return nil
}

func (s *sink) Install(ctx context.Context) error {
	var err error
	if s.install != nil {
		err = s.install(ctx)
	}
	s.ends <- "installed"
	return err
}

func (s *sink) Discard() error {
	s.ends <- "discarded"
	return nil
}

// into makes a node take snapshots with new sinks, which it also gives out.
func into(sinks chan *sink, change func(*sink)) func(*link.Options) {
	return func(o *link.Options) {
		o.SnapshotBytesPerSecond = 1 << 30
		o.Snapshot = func(from storage.NodeID, head *peerpb.Message) (link.Sink, error) {
			s := &sink{ends: make(chan string, 2)}
			if change != nil {
				change(s)
			}
			sinks <- s
			return s, nil
		}
	}
}

var head = &peerpb.Message{
	Shard: 5, Kind: peerpb.Kind_KIND_RAFT, Type: 7, To: 2, From: 1,
	Snapshot: &peerpb.Snapshot{Index: 42, Term: 3, Descriptor_: []byte("d")},
}

// rows gives contents in chunks of up to 100 KB, of which some are empty.
func rows(contents []byte) func() ([]byte, error) {
	number := 0
	return func() ([]byte, error) {
		if len(contents) == 0 {
			return nil, io.EOF
		}
		n := min(number*7919%(100<<10), len(contents))
		number++
		next := contents[:n]
		contents = contents[n:]
		return next, nil
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

// snapshot sends a snapshot beside the test.
func (n *node) snapshot(ctx context.Context, to storage.NodeID, next func() ([]byte, error)) <-chan error {
	done := make(chan error, 1)
	go func() { done <- n.SendSnapshot(ctx, to, head, next) }()
	return done
}

func TestASnapshotIsInstalledWhole(t *testing.T) {
	t.Parallel()
	sinks := make(chan *sink, 1)
	a, b := pair(t, into(sinks, nil))
	contents := random(10 << 20)
	for _, ends := range [][2]*node{{a, b}, {b, a}} { // from either side of the pair
		if err := ends[0].SendSnapshot(t.Context(), ends[1].id, head, rows(contents)); err != nil {
			t.Fatal(err)
		}
		s := <-sinks
		if !bytes.Equal(s.rows.Bytes(), contents) || wait(t, s.ends) != "installed" {
			t.Error("other rows were installed")
		}
		if sent, got := ends[0].Stats().SnapshotsSent, ends[1].Stats().SnapshotsReceived; sent != 1 || got != 1 {
			t.Errorf("counted %d sent, %d received", sent, got)
		}
	}
	if err := a.SendSnapshot(t.Context(), "b", head, rows(nil)); err != nil {
		t.Error("an empty shard:", err)
	}
	if err := a.SendSnapshot(t.Context(), "x", head, rows(nil)); !errors.Is(err, link.ErrUnknownPeer) {
		t.Error(err)
	}
}

func TestTheHeadArrivesFirst(t *testing.T) {
	t.Parallel()
	heads := make(chan *peerpb.Message, 1)
	a, _ := pair(t, func(o *link.Options) {
		o.Snapshot = func(from storage.NodeID, m *peerpb.Message) (link.Sink, error) {
			heads <- m
			return nil, errors.New("shard 5 is not wanted")
		}
	})
	// A refusal ends the stream, however much there is to send.
	endless := func() ([]byte, error) { return make([]byte, 1<<10), nil }
	err := a.SendSnapshot(t.Context(), "b", head, endless)
	if !errors.Is(err, link.ErrRefused) || !strings.Contains(err.Error(), "shard 5 is not wanted") {
		t.Error(err)
	}
	if got := wait(t, heads); !equal(got, head) {
		t.Errorf("got %v", got)
	}
}

// dialed is a node and another one behind a proxy, not connected for messages:
// the proxy's first connection is that of the first snapshot.
func dialed(t *testing.T, sinks chan *sink) (from, to *node, p *proxy) {
	t.Helper()
	from, to = start(t, "b", into(nil, nil)), start(t, "a", into(sinks, nil))
	p = startProxy(t, to.addr)
	from.SetPeer("a", p.addr)
	to.SetPeer("b", "127.0.0.1:1") // a dials for messages, in vain
	return from, to, p
}

func TestASnapshotThatIsCutOrDamagedIsDiscarded(t *testing.T) {
	t.Parallel()
	const size = 300 << 10
	contents := random(size)
	broken := func(tamper func(int, int, []byte) ([]byte, bool)) func(*testing.T) {
		return func(t *testing.T) {
			sinks := make(chan *sink, 2)
			from, to, p := dialed(t, sinks)
			p.setTamper(tamper)
			if err := wait(t, from.snapshot(t.Context(), "a", rows(contents))); err == nil {
				t.Error("sent")
			}
			if err := wait(t, from.snapshot(t.Context(), "a", rows(contents))); err != nil {
				t.Error("the second time:", err)
			}
			to.stop() // all that began has ended then, in either order
			close(sinks)
			installed := 0
			for s := range sinks {
				if end := wait(t, s.ends); end == "discarded" {
					continue
				}
				if installed++; !bytes.Equal(s.rows.Bytes(), contents) {
					t.Error("other rows were installed")
				}
			}
			if installed != 1 {
				t.Errorf("%d snapshots were installed", installed)
			}
		}
	}
	for range 40 {
		t.Run("cut", broken(cutAt(rand.IntN(size))))
		t.Run("damaged", broken(flipAt(rand.IntN(size), byte(1+rand.IntN(255)))))
	}
}

func TestASnapshotEndsWithWhatFeedsIt(t *testing.T) {
	t.Parallel()
	sinks := make(chan *sink, 1)
	a, _ := pair(t, into(sinks, nil))
	torn := errors.New("torn")
	calls := 0
	err := a.SendSnapshot(t.Context(), "b", head, func() ([]byte, error) {
		if calls++; calls > 3 {
			return nil, torn
		}
		return []byte("rows"), nil
	})
	if !errors.Is(err, torn) {
		t.Error(err)
	}
	if end := wait(t, (<-sinks).ends); end != "discarded" {
		t.Error(end)
	}
}

func TestASnapshotEndsWithItsContextAndWithItsPeer(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	for name, end := range map[string]func(a, b *node, cancel func()){
		"context":          func(_, _ *node, cancel func()) { cancel() },
		"removed by one":   func(a, _ *node, _ func()) { a.RemovePeer("b") },
		"removed by other": func(_, b *node, _ func()) { b.RemovePeer("a") },
		"closed by one":    func(a, _ *node, _ func()) { a.stop() },
		"closed by other":  func(_, b *node, _ func()) { b.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sinks := make(chan *sink, 1)
			a, b := pair(t, into(sinks, nil))
			ctx, cancel := context.WithCancelCause(t.Context())
			done := a.snapshot(ctx, "b", func() ([]byte, error) { return make([]byte, 1000), nil })
			s := wait(t, sinks)
			end(a, b, func() { cancel(gone) })
			if err := wait(t, done); err == nil || name == "context" && !errors.Is(err, gone) {
				t.Error(err)
			}
			if end := wait(t, s.ends); end != "discarded" {
				t.Error(end)
			}
		})
	}
}

func TestASnapshotsSinkMayRefuse(t *testing.T) {
	t.Parallel()
	full := errors.New("the disk is full")
	for name, test := range map[string]struct {
		change func(*sink)
		end    string
	}{
		"write":   {func(s *sink) { s.write = func() error { return full } }, "discarded"},
		"install": {func(s *sink) { s.install = func(context.Context) error { return full } }, "installed"},
	} {
		t.Run(name, func(t *testing.T) {
			sinks := make(chan *sink, 1)
			a, b := pair(t, into(sinks, test.change))
			err := a.SendSnapshot(t.Context(), "b", head, rows(random(5<<20)))
			if !errors.Is(err, link.ErrRefused) || !strings.Contains(err.Error(), full.Error()) {
				t.Error(err)
			}
			if end := wait(t, (<-sinks).ends); end != test.end {
				t.Error(end)
			}
			b.wantLog(full.Error())
		})
	}
}

func TestSlowRowsAndASlowInstallationAreWaitedFor(t *testing.T) {
	t.Parallel()
	const slow = 1200 * time.Millisecond // three times the silence that kills
	sinks := make(chan *sink, 1)
	pass := func(ctx context.Context) error {
		select {
		case <-time.After(slow):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	a, _ := pair(t, watchful, into(sinks, func(s *sink) { s.install = pass }))
	next := rows([]byte("rows"))
	err := a.SendSnapshot(t.Context(), "b", head, func() ([]byte, error) {
		if err := pass(t.Context()); err != nil {
			return nil, err
		}
		return next()
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAnInstallationEndsWithTheSendersConnection(t *testing.T) {
	t.Parallel()
	sinks := make(chan *sink, 1)
	installing := make(chan struct{})
	a, _ := pair(t, into(sinks, func(s *sink) {
		s.install = func(ctx context.Context) error {
			close(installing)
			<-ctx.Done()
			return ctx.Err()
		}
	}))
	ctx, cancel := context.WithCancel(t.Context())
	done := a.snapshot(ctx, "b", rows([]byte("rows")))
	wait(t, installing)
	cancel()
	if err := wait(t, done); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	wait(t, wait(t, sinks).ends)
}

func TestANodeTakesSoManySnapshotsAtATime(t *testing.T) {
	t.Parallel()
	sinks := make(chan *sink, 8)
	release := make(chan struct{})
	b := start(t, "b", into(sinks, func(s *sink) {
		s.install = func(context.Context) error { <-release; return nil }
	}), twoSnapshots)
	var senders []*node
	for _, id := range []storage.NodeID{"a1", "a2", "a3"} {
		n := start(t, id)
		b.SetPeer(id, n.addr)
		n.SetPeer("b", b.addr)
		senders = append(senders, n)
	}
	var done []<-chan error
	for _, n := range senders[:2] {
		done = append(done, n.snapshot(t.Context(), "b", rows([]byte("rows"))))
		wait(t, sinks)
	}
	if err := wait(t, senders[2].snapshot(t.Context(), "b", rows(random(5<<20)))); !errors.Is(err, link.ErrBusy) {
		t.Error(err)
	}
	close(release)
	for _, d := range done {
		if err := wait(t, d); err != nil {
			t.Error(err)
		}
	}
	if err := wait(t, senders[2].snapshot(t.Context(), "b", rows(random(5<<20)))); err != nil {
		t.Error("with room again:", err)
	}
}

func twoSnapshots(o *link.Options) { o.Snapshots = 2 }

func TestANodeSendsSoManySnapshotsAtATimeAndOthersWait(t *testing.T) {
	t.Parallel()
	sinks := make(chan *sink, 8)
	a, _ := pair(t, into(sinks, nil), twoSnapshots)
	release := make(chan struct{})
	held := func() ([]byte, error) { <-release; return nil, io.EOF }
	first, second := a.snapshot(t.Context(), "b", held), a.snapshot(t.Context(), "b", held)
	wait(t, sinks)
	wait(t, sinks)
	ctx, cancel := context.WithCancel(t.Context())
	third := a.snapshot(ctx, "b", rows(nil))
	fourth := a.snapshot(t.Context(), "b", rows(nil))
	cancel()
	if err := wait(t, third); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(release)
	for _, done := range []<-chan error{first, second, fourth} {
		if err := wait(t, done); err != nil {
			t.Error(err)
		}
	}
}

func TestSnapshotsAreThrottled(t *testing.T) {
	t.Parallel()
	sinks := make(chan *sink, 1)
	a, _ := pair(t, into(sinks, nil), func(o *link.Options) { o.SnapshotBytesPerSecond = 2 << 20 })
	began := time.Now()
	if err := a.SendSnapshot(t.Context(), "b", head, rows(random(2<<20))); err != nil {
		t.Fatal(err)
	}
	// A burst of 512 KiB is free, the rest takes 750 ms.
	if d := time.Since(began); d < 700*time.Millisecond {
		t.Errorf("took %s", d)
	}
}

package link_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/parley-im/parley/cluster/link"
	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

func equal(a, b *peerpb.Message) bool { return proto.Equal(a, b) }

func TestMessagesArriveWholeAndInOrderBothWays(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	const count = 5000
	size := func(i int) int { return i * 7919 % 3000 } // 7.5 MB in all
	send := func(n *node, to *node) {
		for i := range count {
			if !n.Send(to.id, message(i, size(i))) {
				t.Errorf("%s: message %d was dropped", n.id, i)
				return
			}
		}
	}
	go send(a, b)
	go send(b, a)
	for i := range count {
		a.wantMessage("b", message(i, size(i)))
		b.wantMessage("a", message(i, size(i)))
	}
	if s := b.Stats(); s.Received != count || s.Up != 1 || s.Dropped != 0 || s.BytesIn < count*1400 {
		t.Errorf("stats %+v", s)
	}
}

func TestALargeMessageArrives(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	large := message(1, 20<<20) // above the queue's bound
	if !a.Send("b", large) {
		t.Fatal("dropped by an empty queue")
	}
	b.wantMessage("a", large)
	if a.Send("b", message(2, link.MaxFrame)) {
		t.Error("a message above MaxFrame was queued")
	}
	a.Send("b", heartbeat(3))
	b.wantMessage("a", heartbeat(3))
}

func TestAQueueFillsToItsBoundAndRecovers(t *testing.T) {
	t.Parallel()
	a, b, p := proxied(t, func(o *link.Options) { o.Silence, o.QueueBytes = time.Hour, 4<<20 })
	p.pause()
	sent := 0
	for a.Send("b", message(sent, 10<<10)) {
		sent++
	}
	if q := a.Queued("b"); q < 4<<20-11<<10 || q > 4<<20 {
		t.Errorf("%d bytes are queued", q)
	}
	if !a.Send("b", heartbeat(sent)) {
		t.Error("a full queue takes no heartbeat")
	}
	if a.Send("b", message(0, 10<<10)) {
		t.Error("a full queue takes appends")
	}
	p.resume()
	for i := range sent {
		b.wantMessage("a", message(i, 10<<10))
	}
	b.wantMessage("a", heartbeat(sent))
	if !a.Send("b", message(sent+1, 10<<10)) {
		t.Error("the queue does not recover")
	}
	b.wantMessage("a", message(sent+1, 10<<10))
	if s := a.Stats(); s.Dropped != 2 {
		t.Errorf("%d messages were dropped, want 2", s.Dropped)
	}
}

func TestWhatWaitsLeavesInFewFrames(t *testing.T) {
	t.Parallel()
	a, b, p := proxied(t, func(o *link.Options) { o.Silence = time.Hour })
	p.pause()
	for sent := 0; a.Send("b", message(sent, 64<<10)); sent++ { // until the writer is stuck
	}
	before := a.Stats().FramesOut
	const small = 5000
	for i := range small {
		if !a.Send("b", heartbeat(i)) {
			t.Fatalf("heartbeat %d was dropped", i)
		}
	}
	p.resume()
	for i := 0; i < small; {
		if got := wait(t, b.got); len(got.m.Entries) == 0 {
			i++
		}
	}
	// 16 MiB in frames of about 1 MiB.
	if n := a.Stats().FramesOut - before; n > 40 {
		t.Errorf("%d frames for %d messages after 16 MiB", n, small)
	}
}

func TestABrokenConnectionIsDownAtOnceAndComesBack(t *testing.T) {
	t.Parallel()
	// Silence would take an hour: only the break itself can be noticed.
	a, b, p := proxied(t, func(o *link.Options) { o.Silence = time.Hour })
	for range 6 { // each time the dialer waits longer
		cut := time.Now()
		p.cut()
		a.wantDown("b")
		b.wantDown("a")
		if d := time.Since(cut); d > 5*time.Second {
			t.Errorf("down after %s", d)
		}
		a.wantUp("b")
		b.wantUp("a")
		a.Send("b", heartbeat(1))
		b.wantMessage("a", heartbeat(1))
	}
}

func TestANodeThatEndsIsDownAndItsSuccessorUp(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	b.stop()
	b.wantDown("a")
	a.wantDown("b")
	if a.Send("b", heartbeat(1)) {
		t.Error("a message was queued for a node that is down")
	}
	again := start(t, "b")
	again.SetPeer("a", a.addr)
	a.SetPeer("b", again.addr)
	a.wantUp("b")
	again.wantUp("a")

	a.stop()
	a.wantDown("b")
	again.wantDown("a")
	first := start(t, "a")
	first.SetPeer("b", again.addr)
	again.SetPeer("a", first.addr)
	again.wantUp("a")
	first.wantUp("b")
}

func TestASilentNodeIsDown(t *testing.T) {
	t.Parallel()
	a, b, p := proxied(t, watchful)
	p.pause()
	paused := time.Now()
	a.wantDown("b")
	b.wantDown("a")
	// Pings of the last 100 ms may have come through; the rest is for a busy
	// machine.
	if d := time.Since(paused); d < 200*time.Millisecond || d > 5*time.Second {
		t.Errorf("down after %s, want about 400 ms", d)
	}
	a.wantLog("silent")
	p.cut()
	a.wantUp("b")
	b.wantUp("a")
}

func TestAnIdleConnectionStaysUp(t *testing.T) {
	t.Parallel()
	a, b := pair(t, watchful)
	select {
	case e := <-a.events:
		t.Fatal(e)
	case e := <-b.events:
		t.Fatal(e)
	case <-time.After(1500 * time.Millisecond):
	}
	if s := a.Stats(); s.FramesOut > 18 {
		t.Errorf("%d frames out, want a hello and at most 15 pings", s.FramesOut)
	}
}

func TestARemovedPeerIsDownAndRefused(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	for range 5 {
		b.RemovePeer("a")
		b.SetPeer("a", a.addr)
		b.wantDown("a")
		a.wantDown("b")
		b.wantUp("a")
		a.wantUp("b")
	}
	b.RemovePeer("a")
	b.wantDown("a")
	a.wantDown("b")
	b.wantLog(`not known here`)
	if b.Send("a", heartbeat(1)) {
		t.Error("a message was queued for a removed peer")
	}
}

func TestADamagedByteEndsTheConnectionAndNothingWrongArrives(t *testing.T) {
	t.Parallel()
	const count, size = 60, 200
	places := make([]int, 12) // the header of the first frame of messages
	for i := range places {
		places[i] = helloBytes + i
	}
	for range 30 {
		places = append(places, rand.IntN(count*size))
	}
	for _, at := range places {
		t.Run("", func(t *testing.T) { damage(t, count, size, at, byte(1+rand.IntN(255))) })
	}
}

// helloBytes is the length of the frames with a's hello and verdict.
var helloBytes = 12 + (&peerpb.Hello{
	Oldest: 1, Newest: 1, Cluster: "test", Node: "a", Origin: 1, Purpose: peerpb.Purpose_PURPOSE_MESSAGES, To: "b",
}).SizeVT() + 12 + (&peerpb.Verdict{Welcome: true}).SizeVT()

// damage flips bits of a byte of the first connection: in its hello, which is
// refused, or later, after which Down comes.
func damage(t *testing.T, count, size, at int, bits byte) {
	a, b := start(t, "a"), start(t, "b")
	p := startProxy(t, b.addr)
	p.setTamper(flipAt(at, bits))
	b.SetPeer("a", a.addr)
	a.SetPeer("b", p.addr)
	a.wantUp("b")
	b.wantUp("a")
	for i := range count {
		a.Send("b", message(i, size))
	}
	if at >= helloBytes {
		b.wantDown("a")
		a.wantDown("b")
		a.wantUp("b")
		b.wantUp("a")
	}
	if !a.Send("b", heartbeat(count)) {
		t.Fatal("not sent on the second connection")
	}
	// The last of them may have been sent on the second connection.
	arrived, next := 0, 0
	for {
		got := wait(t, b.got).m
		if len(got.Entries) == 0 {
			break
		}
		if number := int(got.Index); number < next || !equal(got, message(number, size)) {
			t.Fatalf("byte %d ^ %#x: got message %d after %d", at, bits, number, next-1)
		}
		next = int(got.Index) + 1
		arrived++
	}
	if at >= helloBytes && arrived == count {
		t.Errorf("byte %d ^ %#x: all messages arrived", at, bits)
	}
}

func TestCloseEndsWhatIsUpOnce(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	a.stop()
	a.wantDown("b")
	a.stop()
	if len(a.events) != 0 {
		t.Errorf("told %v after Down", <-a.events)
	}
	if a.Send("b", heartbeat(1)) {
		t.Error("sent after Close")
	}
	a.SetPeer("c", b.addr)
	if err := a.SendSnapshot(context.Background(), "b", heartbeat(1), nil); err == nil {
		t.Error("a snapshot was sent after Close")
	}
}

// TestSetPeerDialsAtOnce: a node that is heard of again is not waited for until
// the next of ever rarer dials. Twenty waits of the longest backoff would take
// ten seconds at least.
func TestSetPeerDialsAtOnce(t *testing.T) {
	dials := make(chan struct{}, 1000)
	a := start(t, "a", func(o *link.Options) {
		o.Dial = func(context.Context, string, string) (net.Conn, error) {
			dials <- struct{}{}
			return nil, errors.New("nobody there")
		}
	})
	a.SetPeer("b", "127.0.0.1:1")
	for range 8 { // by then the backoff has reached its bound
		wait(t, dials)
	}
	begun := time.Now()
	for range 20 {
		a.SetPeer("b", "127.0.0.1:1")
		wait(t, dials)
	}
	if took := time.Since(begun); took > 8*time.Second {
		t.Errorf("20 dials took %v", took)
	}
}

// wallClock is off by a fixed time and notes what it hears of others.
type wallClock struct {
	off   time.Duration
	heard chan time.Duration // how far the other one is ahead
}

func (c *wallClock) Wall() time.Time { return time.Now().Add(c.off) }

func (c *wallClock) Observe(_ storage.NodeID, wall time.Time, roundTrip time.Duration) {
	ahead := wall.Add(roundTrip / 2).Sub(c.Wall())
	if roundTrip < 0 || roundTrip > time.Minute {
		ahead = 0
	}
	select {
	case c.heard <- ahead:
	default:
	}
}

// TestClocksAreComparedAlsoUnderLoad: each side learns by how far the other's clock
// is off, again and again, while there is always something else to send.
func TestClocksAreComparedAlsoUnderLoad(t *testing.T) {
	clocks := map[storage.NodeID]*wallClock{"a": {heard: make(chan time.Duration)}, "b": {off: time.Hour, heard: make(chan time.Duration)}}
	a, b := pair(t, func(o *link.Options) { o.Clock = clocks[o.Node] })
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				a.Send("b", message(i, 100))
			}
		}
	}()
	go func() {
		for range b.got {
		}
	}()
	for range soonReadings + 2 {
		for id, want := range map[storage.NodeID]time.Duration{"a": time.Hour, "b": -time.Hour} {
			if got := wait(t, clocks[id].heard); (got - want).Abs() > 5*time.Second {
				t.Errorf("%s finds the other one %v ahead, want %v", id, got, want)
			}
		}
	}
	close(stop)
	<-stopped
	a.stop()
	b.stop()
	close(b.got)
}

// soonReadings is how many come one after the other when a connection begins.
const soonReadings = 5

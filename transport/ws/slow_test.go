package ws

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// quiet is a connection that nobody asks anything.
type quiet struct{ drained, closed int }

func (q *quiet) Receive([]byte, bool) {}
func (q *quiet) Drained()             { q.drained++ }
func (q *quiet) Tick(bool)            {}
func (q *quiet) Closed()              { q.closed++ }

// blocked is a socket whose peer has to be waited for, with bytes to write.
func blocked(bytes int) (c *conn, peer net.Conn, buf []byte) {
	own, peer := net.Pipe()
	c = &conn{Conn: own, server: &Server{writer: newWriter(), budget: newBudget(64 << 20)}, handler: &quiet{}, writing: true, queued: bytes}
	return c, peer, make([]byte, bytes)
}

func TestASlowPeerThatReadsIsNotCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, rate = 8 << 20, 64 << 10 // bytes, and bytes a second: more than two minutes
		c, peer, buf := blocked(size)
		go c.drain(buf, 0)
		got, part := 0, make([]byte, 4<<10)
		for got < size {
			n, err := peer.Read(part)
			if err != nil {
				t.Fatalf("cut after %d of %d bytes: %v", got, size, err)
			}
			got += n
			pass(t, time.Duration(n)*time.Second/rate)
		}
		synctest.Wait()
		if c.dead || c.writing || c.queued != 0 {
			t.Errorf("dead %v, writing %v, %d bytes wait", c.dead, c.writing, c.queued)
		}
		_ = c.Conn.Close()
	})
}

func TestAClosedSocketDoesNotWaitForASlowPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer, buf := blocked(8 << 20)
		go c.drain(buf, 0)
		if err := c.finish(); err != nil {
			t.Fatal(err)
		}
		ended := time.Now().Add(lingering)
		for part := make([]byte, 1<<10); ; pass(t, lingering/10) { // never stalled
			if _, err := peer.Read(part); err != nil {
				break
			}
			if time.Now().After(ended) {
				t.Fatal("it is still written to after it has lingered")
			}
		}
		synctest.Wait()
		if !c.dead || c.writing || c.out != nil {
			t.Errorf("dead %v, writing %v, %d bytes wait", c.dead, c.writing, len(c.out))
		}
	})
}

func TestAPeerThatStopsReadingIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, peer, buf := blocked(1 << 20)
		go c.drain(buf, 0)
		if _, err := io.ReadFull(peer, make([]byte, 100<<10)); err != nil {
			t.Fatal(err)
		}
		pass(t, stalled+time.Millisecond) // the slice that it was in
		pass(t, stalled)
		if _, err := peer.Read(make([]byte, 1)); !errors.Is(err, io.EOF) || !c.dead {
			t.Errorf("it is not cut: %v", err)
		}
	})
}

func TestPongsDoNotPileUp(t *testing.T) {
	c, _, _ := blocked(0)
	for range 1000 {
		c.pong(make([]byte, 125))
	}
	if c.queued == 0 || c.queued > 16<<10+125 {
		t.Errorf("%d bytes wait for a peer that sends pings and reads nothing", c.queued)
	}
}

func TestACloseFrameAlwaysFits(t *testing.T) {
	c, _, _ := blocked(64 << 20)
	c.Close(4429, "the client does not read")
	if !c.closing || len(c.out) == 0 {
		t.Error("the peer is not told why it is closed")
	}
}

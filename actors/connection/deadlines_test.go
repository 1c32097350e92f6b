package connection

import (
	"testing"
	"time"

	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/transport/wire"
)

func TestHelloHasLessTimeInACrowd(t *testing.T) {
	w := newWorld(t)
	w.o.Timing = DefaultTiming
	for _, c := range []struct {
		age     time.Duration
		crowded bool
		code    uint16 // 0: open
	}{
		{2 * time.Second, false, 0},
		{2 * time.Second, true, closeHello},
		{500 * time.Millisecond, true, 0},
		{6 * time.Second, false, closeHello},
	} {
		s := &socket{frames: make(chan *wirepb.ServerFrame, 10), closed: make(chan uint16, 10)}
		conn := New(w.o, s, wire.Proto{})
		conn.born = conn.born.Add(-c.age)
		conn.Tick(c.crowded)
		var code uint16
		select {
		case code = <-s.closed:
		default:
		}
		if code != c.code {
			t.Errorf("after %v without hello, crowded %v: closed with %d, want %d", c.age, c.crowded, code, c.code)
		}
		conn.Closed()
	}
}

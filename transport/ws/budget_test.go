package ws

import (
	"testing"
)

// waiters is a server with sockets whose peers read nothing, if slow.
func waiters(t *testing.T, most, sockets int, slow bool) (s *Server, all []*conn) {
	t.Helper()
	s = &Server{writer: newWriter(), budget: newBudget(most), conns: make(map[*conn]struct{})}
	for range sockets {
		c, _, _ := blocked(0)
		c.server, c.slow = s, slow
		s.conns[c] = struct{}{}
		all = append(all, c)
	}
	t.Cleanup(func() {
		for _, c := range all {
			c.abort()
		}
		if held := s.budget.held.Load(); held != 0 {
			t.Errorf("%d bytes are held when all sockets have gone", held)
		}
	})
	return s, all
}

const noLimit = 1 << 30

func fill(c *conn, size int) {
	for c.Write(make([]byte, size), noLimit) {
	}
}

func TestSlowSocketsShareTheBudgetAndLeaveRoomForOthers(t *testing.T) {
	const most, sockets, message = 64 << 20, 100, 32 << 10
	s, all := waiters(t, most, sockets, true)
	for _, c := range all {
		fill(c, message)
	}
	for range sockets { // a share at a time, as they come
		for _, c := range all {
			c.Write(make([]byte, message), noLimit)
		}
	}
	if held := s.budget.held.Load(); held > most {
		t.Errorf("%d bytes wait, allowed are %d", held, most)
	}
	quick, _, _ := blocked(0)
	quick.server = s
	for range 100 { // what it holds leaves at once
		if !quick.Write(make([]byte, message), noLimit) {
			t.Fatal("a socket whose peer reads is refused")
		}
		quick.mu.Lock()
		quick.out, quick.queued = nil, 0
		quick.mu.Unlock()
		s.budget.give(message + headerSize(message))
	}
	if all[0].queued <= message || !all[0].refused {
		t.Errorf("the first socket holds %d bytes, refused %v", all[0].queued, all[0].refused)
	}
}

func TestABudgetThatIsUsedUpHasTheLargestCut(t *testing.T) {
	const most, sockets = 64 << 10, 10
	s, all := waiters(t, most, sockets, false)
	for i, c := range all { // quick ones that become slow with all that they hold
		c.Write(make([]byte, (i+1)<<10), noLimit)
		c.slow = i%2 == 1
	}
	if held := s.budget.held.Load(); held > most {
		t.Fatalf("%d bytes before the budget is used up", held)
	}
	for all[0].Write(make([]byte, 1<<10), noLimit) {
	}
	if held := s.budget.held.Load(); held <= most || held > most+most/reserve {
		t.Fatalf("%d bytes wait of %d and the reserve", held, most)
	}
	select {
	case <-s.budget.exceeded:
	default:
		t.Fatal("nobody is asked to shed")
	}
	s.shed()
	if !all[9].dead || all[0].dead || all[8].dead || all[1].dead {
		t.Errorf("cut are the largest slow %v, a smaller one %v, quick ones %v, %v", all[9].dead, all[1].dead, all[0].dead, all[8].dead)
	}
	if held := s.budget.held.Load(); held > most {
		t.Errorf("%d bytes wait after shedding, allowed are %d", held, most)
	}
}

func TestTheBytesThatWaitAreCounted(t *testing.T) {
	s, all := waiters(t, 1<<20, 1, false)
	c := all[0]
	c.writing = false
	for _, n := range []int{1, 125, 126, 1 << 15, 1 << 16} {
		if !c.Write(make([]byte, n), noLimit) {
			t.Fatalf("%d bytes are refused", n)
		}
	}
	c.Close(CloseGoingAway, "bye")
	if held := s.budget.held.Load(); held != int64(len(c.out)) || held != int64(c.queued) {
		t.Errorf("%d bytes are counted, queued %d, in the buffer %d", held, c.queued, len(c.out))
	}
	buf := c.out
	c.out, c.writing = nil, true
	c.wrote(buf, nil)
	if held := s.budget.held.Load(); held != 0 {
		t.Errorf("%d bytes are held after all were written", held)
	}
}

package fair

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

func at(addr string) Source { return Of(netip.MustParseAddr(addr)) }

// ask has somebody wait for a turn of a source, and note its name when it comes.
func ask(q *Queue, s Source, name string, came *[]string) {
	go func() {
		if q.Take(nil, s) {
			*came = append(*came, name)
		}
	}()
	synctest.Wait()
}

func TestSourcesTakeTurnsInRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(1)
		var came []string
		loud, calm, other := at("192.0.2.1"), at("192.0.2.2"), at("192.0.2.3")
		ask(q, loud, "loud 0", &came)
		for _, name := range []string{"loud 1", "loud 2", "loud 3", "loud 4"} {
			ask(q, loud, name, &came)
		}
		ask(q, calm, "calm 1", &came)
		ask(q, calm, "calm 2", &came)
		ask(q, other, "other 1", &came)
		for i := 0; i < len(came) && i < 8; i++ {
			q.Give(map[byte]Source{'l': loud, 'c': calm, 'o': other}[came[i][0]])
			synctest.Wait()
		}
		want := []string{"loud 0", "loud 1", "calm 1", "other 1", "loud 2", "calm 2", "loud 3", "loud 4"}
		if !slices.Equal(came, want) {
			t.Errorf("came %v, want %v", came, want)
		}
		if q.free != 1 || len(q.lines) != 0 || q.rotation.Len() != 0 || q.Waiting() != 0 {
			t.Errorf("something is left: %+v", q)
		}
	})
}

func TestWhoHasGoneTakesNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(1)
		var came []string
		ask(q, at("192.0.2.1"), "first", &came)
		gone, left := make(chan struct{}), make(chan bool, 1)
		go func() { left <- q.Take(gone, at("192.0.2.2")) }()
		synctest.Wait()
		close(gone)
		if <-left {
			t.Error("it has a turn")
		}
		q.Give(at("192.0.2.1"))
		if !q.Take(nil, at("192.0.2.2")) || q.Waiting() != 0 || len(q.lines) != 0 {
			t.Errorf("something is left: %+v", q)
		}
	})
}

func TestTurnsThatTakeLongAreNotAllOfThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const turns = 8
		q := NewQueue(turns)
		var came, calm []string
		for range 2 * turns {
			ask(q, at("192.0.2.1"), "", &came)
		}
		if len(came) != turns/2+1 {
			t.Errorf("one source has %d of %d turns, want %d", len(came), turns, turns/2+1)
		}
		for _, addr := range []string{"192.0.2.2", "192.0.2.3", "192.0.2.4"} {
			ask(q, at(addr), "", &calm)
		}
		if len(calm) != 3 {
			t.Errorf("%d of 3 other sources have a turn", len(calm))
		}
		for range 2 * turns {
			q.Give(at("192.0.2.1"))
			synctest.Wait()
		}
		if len(came) != 2*turns {
			t.Errorf("%d of %d come in the end", len(came), 2*turns)
		}
	})
}

// TestATurnIsNeverLostOrGivenTwice has many ask, go and end their turns, some at
// the same moment.
func TestATurnIsNeverLostOrGivenTwice(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		synctest.Test(t, func(t *testing.T) { askGoAndEnd(t, r) })
	})
}

func askGoAndEnd(_ *testing.T, r *rapid.T) {
	const turns = 3
	q := NewQueue(turns)
	type outcome struct {
		source Source
		took   bool
	}
	var gone []chan struct{} // of those who wait or have a turn
	outcomes := make(chan outcome, 100)
	var having []Source
	waiting := 0
	settle := func() {
		synctest.Wait()
		for len(outcomes) > 0 {
			waiting--
			if o := <-outcomes; o.took {
				having = append(having, o.source)
			}
		}
	}
	end := func() {
		s := having[len(having)-1]
		having = having[:len(having)-1]
		q.Give(s)
	}
	for range rapid.IntRange(1, 60).Draw(r, "steps") {
		switch what := rapid.IntRange(0, 3).Draw(r, "what"); {
		case what < 2:
			leave := make(chan struct{})
			gone = append(gone, leave)
			waiting++
			s := Of(netip.AddrFrom4([4]byte{192, 0, 2, byte(rapid.IntRange(1, 4).Draw(r, "source"))}))
			go func() { outcomes <- outcome{s, q.Take(leave, s)} }()
		case what == 2 && len(having) > 0:
			end()
		case what == 3 && len(gone) > 0:
			i := rapid.IntRange(0, len(gone)-1).Draw(r, "who")
			close(gone[i])
			gone = slices.Delete(gone, i, i+1)
		}
		if rapid.Bool().Draw(r, "settle") {
			settle()
		}
	}
	settle()
	if len(having)+q.free != turns || q.Waiting() != waiting {
		r.Errorf("%d have a turn and %d wait; the queue says %d are free and %d wait", len(having), waiting, q.free, q.Waiting())
	}
	for len(having) > 0 {
		end()
		settle()
	}
	if waiting != 0 || q.free != turns || len(q.had) != 0 || len(q.lines) != 0 {
		r.Errorf("%d wait when no turn is under way; left are %+v", waiting, q)
	}
}

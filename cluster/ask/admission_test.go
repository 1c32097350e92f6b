package ask

import (
	"fmt"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/methodpb"
)

// send is a method without an allowance.
var send = &method.Method{Rate: methodpb.Rate_RATE_UNSPECIFIED}

// inFlight is how many requests one hostile connection leaves waiting.
const inFlight = 256

// server answers what it is asked in order, so many requests a second, on a
// clock of its own.
type server struct {
	a        *Admission
	of       *Account
	now      time.Duration
	asked    []time.Duration // when, of those that wait
	credit   float64
	answered int
	refused  int
	longest  time.Duration // wait for an answer
}

func newServer() *server {
	a := NewAdmission()
	return &server{a: a, of: a.Open(chat.UserKey{App: 1, ID: "ann"}, 0)}
}

// run has it offered and lets it answer so many a second for some time.
func (s *server) run(d time.Duration, offered, capacity float64) {
	const step = 10 * time.Millisecond
	var owed float64
	for end := s.now + d; s.now < end; s.now += step {
		for owed += offered * step.Seconds(); owed >= 1; owed-- {
			if s.a.enterAt(s.now, s.of, send) == nil {
				s.asked = append(s.asked, s.now)
			} else {
				s.refused++
			}
		}
		for s.credit += capacity * step.Seconds(); s.credit >= 1 && len(s.asked) > 0; s.credit-- {
			s.longest = max(s.longest, s.now-s.asked[0])
			s.asked = s.asked[1:]
			s.answered++
			s.a.leaveAt(s.now, s.of, 1)
		}
		s.credit = min(s.credit, 1)
	}
}

func TestAnOverloadIsRefusedAndTheCapacityUsed(t *testing.T) {
	for _, capacity := range []float64{200, 3000, 20000} {
		for _, factor := range []float64{1.5, 2, 10} {
			s := newServer()
			s.run(3*time.Second, capacity/2, capacity)
			if s.refused != 0 {
				t.Fatalf("capacity %.0f: %d refused at half of it", capacity, s.refused)
			}
			s.run(2*time.Second, factor*capacity, capacity) // a queue has to stand for a second first
			s.answered, s.refused, s.longest = 0, 0, 0
			s.run(20*time.Second, factor*capacity, capacity)
			if got := float64(s.answered) / 20; got < 0.97*capacity {
				t.Errorf("capacity %.0f, %.1f times that offered: %.0f answered a second", capacity, factor, got)
			}
			if s.refused == 0 {
				t.Errorf("capacity %.0f, %.1f times that offered: nothing refused", capacity, factor)
			}
			// What the second before let in is still there.
			if bound := max(time.Duration((factor-1)*float64(3*time.Second)), time.Duration(float64(2*admitAlways)/capacity*float64(time.Second))); s.longest > bound {
				t.Errorf("capacity %.0f, %.1f times that offered: waited %v", capacity, factor, s.longest)
			}
			s.longest = 0
			s.run(10*time.Second, factor*capacity, capacity)
			if bound := time.Duration(float64(admitAlways)/capacity*float64(time.Second)) + admitTime + 3*admitWindow; s.longest > bound {
				t.Errorf("capacity %.0f, %.1f times that offered, later: waited %v", capacity, factor, s.longest)
			}
			s.run(5*time.Second, capacity/2, capacity)
			s.refused = 0
			s.run(5*time.Second, capacity/2, capacity)
			if s.refused != 0 {
				t.Errorf("capacity %.0f: %d refused long after the overload", capacity, s.refused)
			}
		}
	}
}

func TestABurstIsLetInWhole(t *testing.T) {
	s := newServer()
	s.run(time.Minute, 1, 15000)
	s.run(10*time.Millisecond, 1e6, 15000) // 10,000 at once
	s.run(time.Second, 100, 15000)
	if s.refused != 0 {
		t.Errorf("%d refused", s.refused)
	}
}

func TestANodeThatAnswersNothingTakesLittle(t *testing.T) {
	s := newServer()
	s.run(3*time.Second, 4000, 5000)
	s.run(3*time.Second, 4000, 0)
	if s.refused == 0 || s.a.Waiting() > 3*4000 {
		t.Errorf("%d refused, %d wait", s.refused, s.a.Waiting())
	}
	if s.a.Refused() != uint64(s.refused) {
		t.Errorf("it counts %d", s.a.Refused())
	}
	if s.a.enterAt(s.now, s.of, nil) != nil {
		t.Error("what must be let in is not")
	}
}

// TestNobodyIsRefusedForWhatOthersLeaveWaiting has a few users, then an app, ask
// far too much that is never answered: only they are refused, for as long as it
// lasts.
func TestNobodyIsRefusedForWhatOthersLeaveWaiting(t *testing.T) {
	for _, hostile := range []struct {
		name  string
		users int
		each  int // requests in a tenth of a second
		app   chat.AppID
	}{{"four users of the same app", 4, inFlight, 1}, {"a thousand users of another app", 1000, 2, 2}} {
		t.Run(hostile.name, func(t *testing.T) {
			a, now := NewAdmission(), time.Duration(0)
			var accounts []*Account
			for n := range hostile.users {
				accounts = append(accounts, a.Open(chat.UserKey{App: hostile.app, ID: fmt.Sprintf("hostile%d", n)}, 0))
			}
			refused, friends := 0, make([]*Account, 100)
			for n := range friends {
				friends[n] = a.Open(chat.UserKey{App: 1, ID: fmt.Sprintf("friend%d", n)}, 0)
			}
			for range 300 { // half a minute
				now += 100 * time.Millisecond
				for _, acct := range accounts {
					for range hostile.each {
						if acct.waiting == inFlight || a.enterAt(now, acct, send) != nil {
							refused++
						}
					}
				}
				for n, friend := range friends {
					if a.enterAt(now, friend, send) != nil {
						t.Fatalf("after %v friend %d is refused", now, n)
					}
				}
				for _, friend := range friends {
					a.leaveAt(now, friend, 1)
				}
			}
			if refused == 0 {
				t.Error("nothing is refused")
			}
			for _, acct := range accounts {
				a.Close(acct, acct.waiting)
			}
			if a.Waiting() != 0 || a.busy != 0 {
				t.Errorf("they have left, and %d requests of %d apps wait", a.Waiting(), a.busy)
			}
			for _, friend := range friends {
				a.Close(friend, 0)
			}
			if len(a.tenants) != 0 {
				t.Errorf("%d apps are kept", len(a.tenants))
			}
		})
	}
}

func TestConnectionsOfAUserAndOfAnAppAreBounded(t *testing.T) {
	a := NewAdmission()
	var all []*Account
	for range maxUserConnections {
		all = append(all, a.Open(ann, 0))
	}
	if a.Open(ann, 0) != nil {
		t.Error("a user has more connections than it may")
	}
	bob := chat.UserKey{App: ann.App, ID: "bob"}
	if a.Open(bob, maxUserConnections) != nil {
		t.Error("an app has more connections than it may")
	}
	if other := a.Open(chat.UserKey{App: ann.App + 1, ID: "bob"}, 1); other == nil {
		t.Error("another app is refused")
	}
	a.Close(all[0], 0)
	if a.Open(bob, maxUserConnections) == nil {
		t.Error("one has gone, and the next is refused")
	}
}

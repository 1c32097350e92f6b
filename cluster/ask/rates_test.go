package ask

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/methodpb"
	"github.com/parley-im/parley/proto/wirepb"
)

func TestEveryClassHasAnAllowance(t *testing.T) {
	for _, m := range method.All() {
		if int(m.Rate) >= len(rates) || rates[m.Rate].each == 0 || rates[m.Rate].burst < rates[m.Rate].each {
			t.Errorf("%s is of the class %s, which has none", m.Path, m.Rate)
		}
	}
}

func TestAFloodOfCheapRequestsIsRefusedUntilItMayGoOn(t *testing.T) {
	a, now := NewAdmission(), time.Duration(0)
	acct, other := a.Open(ann, 0), a.Open(chat.UserKey{App: 7, ID: "bob"}, 0)
	ping := method.ByPath("Ping")
	r := rates[ping.Rate]
	for range r.burst {
		if err := a.enterAt(now, acct, ping); err != nil {
			t.Fatalf("within the burst: %v", err)
		}
	}
	err := a.enterAt(now, acct, ping)
	var e *chat.Error
	if !errors.As(err, &e) || e.Code != chat.CodeBusy || e.RetryAfter <= 0 {
		t.Fatalf("after the burst: %v", err)
	}
	if w := wirepb.FromError("x", err); w.RetryAfterMs == 0 || time.Duration(w.RetryAfterMs)*time.Millisecond < e.RetryAfter {
		t.Errorf("the client hears %v", w)
	}
	if err := a.enterAt(now, acct, method.ByPath("SendMessage")); err != nil {
		t.Errorf("another class: %v", err)
	}
	if err := a.enterAt(now, other, ping); err != nil {
		t.Errorf("another user: %v", err)
	}
	if now += e.RetryAfter; a.enterAt(now, acct, ping) != nil {
		t.Error("it comes again when it may, and is refused")
	}
	allowed := 0
	for range 10 * r.each { // ten seconds at ten times the rate
		now += 100 * time.Millisecond / time.Duration(r.each) * 10
		for range 10 {
			if a.enterAt(now, acct, ping) == nil {
				allowed++
			}
		}
	}
	if want := 10 * r.each; allowed < want-1 || allowed > want+1 {
		t.Errorf("%d are let in in ten seconds, want %d", allowed, want)
	}
}

// TestAnAllowanceOutlivesItsConnection: who connects again begins where it was.
func TestAnAllowanceOutlivesItsConnection(t *testing.T) {
	a := NewAdmission()
	spendAll := func() (n int) {
		acct := a.Open(ann, 0)
		for ; a.Spend(acct, method.ByPath("Ping")) == nil; n++ {
		}
		a.Close(acct, 0)
		return n
	}
	r := rates[methodpb.Rate_RATE_SESSION]
	if n := spendAll(); n < r.burst {
		t.Errorf("%d at first, want %d", n, r.burst)
	}
	if n := spendAll(); n > r.burst/2 {
		t.Errorf("%d after it has come again", n)
	}
	a.mu.Lock()
	a.forget(time.Since(a.begun) + time.Hour)
	a.mu.Unlock()
	if len(a.tenants) != 0 || len(a.resting) != 0 {
		t.Errorf("%d apps are kept, %d accounts", len(a.tenants), len(a.resting))
	}
}

func TestWhatIsAskedIsCountedAndWhatIsSlowIsLoggedByMethod(t *testing.T) {
	var out strings.Builder
	m := NewMeter(slog.New(slog.NewTextHandler(&out, nil)))
	ping := method.ByPath("Ping")
	m.Done(ping, time.Millisecond, false)
	m.Done(ping, 3*time.Second, true)
	m.Done(ping, 3*time.Second, true)
	if c := m.Of(ping); c.Answered.Load() != 3 || c.Refused.Load() != 2 || time.Duration(c.Nanoseconds.Load()) != 6001*time.Millisecond {
		t.Errorf("counted %d, %d, %d", c.Answered.Load(), c.Refused.Load(), c.Nanoseconds.Load())
	}
	if log := out.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "method=Ping") {
		t.Errorf("the log has %q", log)
	}
}

package clock

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestJudge(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		others []time.Duration
		was    bool
		want   Verdict
		lead   bool
	}{
		"alone":                              {nil, false, Verdict{}, true},
		"of two nobody knows":                {[]time.Duration{day}, false, Verdict{Others: 1, Unsure: true}, true},
		"two that agree":                     {[]time.Duration{400 * time.Millisecond}, false, Verdict{Others: 1}, true},
		"of three all agree":                 {[]time.Duration{-100, 100}, false, Verdict{Others: 2}, true},
		"of three another one is ahead":      {[]time.Duration{day, 0}, false, Verdict{Others: 2}, true},
		"of three another one is behind":     {[]time.Duration{-day, 0}, false, Verdict{Others: 2}, true},
		"of three this one is ahead":         {[]time.Duration{-day, -day}, false, Verdict{Others: 2, Offset: day, Apart: true}, false},
		"of three this one is behind":        {[]time.Duration{day, day + 5}, false, Verdict{Others: 2, Offset: -day, Apart: true}, false},
		"of three two are wrong differently": {[]time.Duration{day, -day}, false, Verdict{Others: 2}, true},
		"of three two are wrong alike":       {[]time.Duration{day, day}, false, Verdict{Others: 2, Offset: -day, Apart: true}, false},
		"a little is allowed":                {[]time.Duration{-Limit, -Limit}, false, Verdict{Others: 2, Offset: Limit}, true},
		"who was apart must come nearer":     {[]time.Duration{-Limit, -Limit}, true, Verdict{Others: 2, Offset: Limit, Apart: true}, false},
		"who was apart is near":              {[]time.Duration{-agreed, -agreed}, true, Verdict{Others: 2, Offset: agreed}, true},
		"of four two and two":                {[]time.Duration{day, day, 0}, false, Verdict{Others: 3}, true},
		"of four one is wrong":               {[]time.Duration{-day, -day, -day}, false, Verdict{Others: 3, Offset: day, Apart: true}, false},
		"of five two are wrong":              {[]time.Duration{-day, -day, -day, 0}, false, Verdict{Others: 4, Offset: day, Apart: true}, false},
		"apart, and the others are gone":     {nil, true, Verdict{Apart: true}, true},
		"apart, and one is left":             {[]time.Duration{-day}, true, Verdict{Others: 1, Apart: true, Unsure: true}, true},
		"one that is left agrees":            {[]time.Duration{100}, true, Verdict{Others: 1}, true},
	} {
		got := judge(c.others, c.was)
		if got != c.want || got.MayLead() != c.lead {
			t.Errorf("%s: %+v, may lead %v; want %+v, %v", name, got, got.MayLead(), c.want, c.lead)
		}
	}
}

// bench is a guard in a bubble of fake time, whose clock can be set.
type bench struct {
	*Guard
	off atomic.Int64 // nanoseconds; Watch reads it on a goroutine of its own
}

func newBench() *bench {
	b := &bench{}
	b.Guard = New(func() time.Time { return time.Now().Add(time.Duration(b.off.Load())) })
	return b
}

// hear brings readings of two others, that far ahead of the true time.
func (b *bench) hear(x, y time.Duration) Verdict {
	b.Observe("x", time.Now().Add(x), 0)
	b.Observe("y", time.Now().Add(y), 0)
	return b.check()
}

func (b *bench) ahead() time.Duration { return time.Until(b.Now()).Round(time.Microsecond) }

func TestAClockThatJumpsStampsWithNothingFarFromTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.hear(0, 0)
		for _, jump := range []time.Duration{24 * time.Hour, -24 * time.Hour} {
			b.off.Store(int64(jump))
			want := min(max(jump, -Limit), Limit)
			if got := b.ahead(); got != want { // at once, before any check
				t.Errorf("ahead by %v it stamps with %v", jump, got)
			}
			if v := b.check(); !v.Apart || v.MayLead() || v.Offset != jump {
				t.Errorf("ahead by %v: %+v", jump, v)
			}
		}
		old := time.NewTimer(2 * stale)
		<-old.C // all readings are too old: the others are gone
		if v := b.check(); v.Others != 0 || !v.Apart || !v.MayLead() {
			t.Errorf("alone: %+v", v)
		}
		if got := b.ahead(); got != -Limit {
			t.Errorf("alone it stamps with %v", got)
		}
		b.off.Store(0)
		if v := b.hear(0, 0); v.Apart || b.ahead() != 0 {
			t.Errorf("set right: %+v, it stamps with %v", v, b.ahead())
		}
	})
}

func TestAReadingOfALongRoundTripIsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.Observe("x", time.Now().Add(time.Hour), maxRoundTrip+1)
		b.Observe("y", time.Now().Add(-maxRoundTrip/2), maxRoundTrip) // made half of it ago
		if v := b.check(); v.Others != 1 || v.Unsure {
			t.Errorf("%+v", v)
		}
	})
}

func TestWatchTellsWhatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		told := make(chan Verdict, 10)
		done := make(chan struct{})
		go func() {
			defer close(done)
			b.Watch(t.Context(), func(v Verdict) { told <- v })
		}()
		b.off.Store(int64(time.Minute))
		b.Observe("x", time.Now(), 0)
		b.Observe("y", time.Now(), 0)
		if v := <-told; !v.Apart || v.Offset != time.Minute {
			t.Errorf("%+v", v)
		}
		b.off.Store(0)
		if v := <-told; v.Apart {
			t.Errorf("%+v", v)
		}
		if len(told) > 0 {
			t.Error("it tells more")
		}
	})
}

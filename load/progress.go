package load

import (
	"fmt"
	"io"
	"time"
)

// Progress is how far a run has come.
type Progress struct {
	Sessions    int64  `json:"sessions"`
	Acked       int64  `json:"acked"`
	Outstanding int64  `json:"outstanding"`
	Refused     int64  `json:"refused"`
	Now         string `json:"now"` // what is happening
}

// Lines gives a function that prints progress as one line each time.
func Lines(w io.Writer) func(Progress) {
	begin, last, at := time.Now(), int64(0), time.Now()
	return func(p Progress) {
		rate := float64(p.Acked-last) / max(time.Since(at).Seconds(), 0.1)
		last, at = p.Acked, time.Now()
		fmt.Fprintf(w, "%4.0f s  %6d here  %7.0f acked/s  %9d acked  %7d outstanding  %d refused  %s\n",
			time.Since(begin).Seconds(), p.Sessions, rate, p.Acked, p.Outstanding, p.Refused, p.Now)
	}
}

// say sets what the progress says.
func (c *crowd) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = fmt.Sprintf(format, args...)
}

func (c *crowd) progress() Progress {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Progress{c.sessions.Load(), c.acked.Load(), c.outstanding.Load(), c.refused.Load(), c.now}
}

// watch tells the progress every second until it is ended.
func watch(told func(Progress), now func() Progress) (end func()) {
	if told == nil {
		return func() {}
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				told(now())
			}
		}
	}()
	return func() {
		close(stop)
		<-done
	}
}

//go:build failpoint

package failpoint

import (
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// Clock is a clock that PARLEY_CLOCK puts off, else time.Now. Times that it gives
// differ by what the wall clock did between them: who measures a duration with it
// sees a jump, as with times that were stored or sent.
func Clock() func() time.Time {
	name := os.Getenv("PARLEY_CLOCK")
	if name == "" {
		return time.Now
	}
	c := &clock{file: name}
	return c.now
}

type clock struct {
	file   string
	ahead  atomic.Int64
	looked atomic.Int64 // Unix nanoseconds
}

func (c *clock) now() time.Time {
	now := time.Now()
	if at := c.looked.Load(); now.UnixNano()-at > int64(ClockDelay) && c.looked.CompareAndSwap(at, now.UnixNano()) {
		c.ahead.Store(int64(c.read()))
	}
	return now.Add(time.Duration(c.ahead.Load()))
}

// read is what the file says; nothing that makes sense is 0.
func (c *clock) read() time.Duration {
	text, _ := os.ReadFile(c.file)
	ahead, _ := time.ParseDuration(strings.TrimSpace(string(text)))
	return ahead
}

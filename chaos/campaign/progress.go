package campaign

import (
	"fmt"
	"time"

	"github.com/parley-im/parley/chaos/check"
	"github.com/parley-im/parley/transport/api"
)

type shardStatus = api.ShardStatus

// How much porcupine looks at.
const (
	sampled           = 8
	sampledOperations = 400
	sampleTime        = 5 * time.Second
)

// Sample is how much of a history with a seed is also judged by porcupine.
func Sample(seed uint64) check.Options {
	return check.Options{Seed: seed, Conversations: sampled, Operations: sampledOperations, Timeout: sampleTime}
}

// every is how often the progress is printed.
const every = 2 * time.Second

// say tells what is happening.
func (r *run) say(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = fmt.Sprintf(format, args...)
}

// watch prints a line every few seconds until it is ended.
func (r *run) watch() (end func()) {
	if r.o.Progress == nil {
		return func() {}
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				r.tell()
			case <-stop:
				return
			}
		}
	}()
	return func() {
		close(stop)
		<-done
	}
}

func (r *run) tell() {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := fmt.Sprintf("%4.0f s  seed %d", time.Since(r.begun).Seconds(), r.o.Seed)
	if r.users != nil {
		c := r.users.Counts()
		line += fmt.Sprintf("  %d acked, %d unknown, %d refused, %d received", c.Acked, c.Unknown, c.Refused, c.Received)
	}
	fmt.Fprintf(r.o.Progress, "%s  %s\n", line, r.now)
}

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

// every is how often the progress is told.
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

// Line is the last line of --json and a line of the ledger.
type Line struct {
	OK       bool   `json:"ok"`
	Seed     uint64 `json:"seed"`
	Revision string `json:"revision"`
	Options  string `json:"options"`
	Acked    int    `json:"acked"`
	Unknown  int    `json:"unknown"`
	Lost     int    `json:"lost"`
	Dup      int    `json:"dup"`
	Gap      int    `json:"gap"`
	Reorder  int    `json:"reorder"`
	Diverge  int    `json:"diverge"`
	// Others are the counts above 0 of the other classes.
	Others   map[check.Class]int `json:"others,omitempty"`
	NoEffect int                 `json:"noeffect"`
	Faults   int                 `json:"faults"`
	Stuck    string              `json:"stuck,omitempty"`
	// Recoveries are the times without acknowledgement by kind of fault.
	Recoveries []check.Recovery `json:"recoveries,omitempty"`
	Seconds    float64          `json:"seconds"`
}

// Sum gives the line of a result.
func (r Result) Sum(o Options, took time.Duration) Line {
	v := r.Verdict
	l := Line{
		OK: r.OK() && r.Effective(), Seed: o.Seed, Revision: o.Revision, Options: o.Command, Acked: v.Acked, Unknown: v.Unknown,
		Lost: v.Counts[check.Lost], Dup: v.Counts[check.Dup], Gap: v.Counts[check.Gap], Reorder: v.Counts[check.Reorder], Diverge: v.Counts[check.Diverge],
		Others: map[check.Class]int{}, NoEffect: v.Ineffective(), Faults: len(v.Faults), Recoveries: v.Recoveries, Seconds: took.Seconds(),
	}
	for class, n := range v.Counts {
		switch class {
		case check.Lost, check.Dup, check.Gap, check.Reorder, check.Diverge, check.NoEffect:
		default:
			if n > 0 {
				l.Others[class] = n
			}
		}
	}
	if r.Stuck != nil {
		l.Stuck = r.Stuck.Error()
	}
	return l
}

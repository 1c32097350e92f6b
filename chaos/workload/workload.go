// Package workload is the users of a chaos run: they talk over the Go client,
// through all nodes, in several apps, and record all that they do and see in a
// history. It judges nothing, and of faults it makes those that are its users':
// sockets that are cut, clients that do not read. Each kind of user is an actor
// of its own (talker, opener, roamer, switcher, overstayer, sleeper, crier);
// further kinds of conversations are further actors.
//
// The users of all apps have the same names, so that a mix-up of tenants shows.
package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chat"
)

// App is a tenant and the secret that signs its tokens.
type App struct {
	ID     chat.AppID
	Secret string
}

// Server is one node as clients see it.
type Server struct {
	Name string // as the history has it
	URL  string
}

// Options say who talks where. All are needed.
type Options struct {
	Seed    uint64
	Apps    []App
	History *history.Writer
	// Servers are those that the cluster is meant to have at the moment.
	Servers func() []Server
	// Rate is about how many messages a second all hot conversations get.
	Rate int
}

// Counts are running totals.
type Counts struct {
	Acked, Unknown, Refused, Received, Reads int64
}

// Workload is the running users.
type Workload struct {
	o       Options
	ctx     context.Context // of all calls; ends with Close
	cancel  context.CancelFunc
	talking context.Context // ends with Stop
	silence context.CancelFunc
	running sync.WaitGroup
	ops     atomic.Uint64
	counts  struct{ acked, unknown, refused, received, reads atomic.Int64 }
	sockets *sockets

	mu      sync.Mutex
	final   bool // logouts are not recorded any more
	devices map[*device]bool
	heads   map[place]head
}

// place names a conversation.
type place struct {
	app  chat.AppID
	conv string
}

// head is the newest acknowledged message of a conversation.
type head struct {
	seq  uint64
	sent int64 // the run's time
	by   *device
}

// How many users of each kind an app has.
const (
	talkers   = 6
	openers   = 16
	roamers   = 3
	switchers = 2
	sleepers  = 16
)

// Start registers all users and has them begin. It blocks until they are logged
// in or ctx, which bounds that only, ends.
func Start(ctx context.Context, o Options) (*Workload, error) {
	w := &Workload{o: o, sockets: newSockets(), devices: make(map[*device]bool), heads: make(map[place]head)}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.talking, w.silence = context.WithCancel(w.ctx)
	for _, app := range o.Apps {
		for _, name := range Names() {
			if err := w.enroll(ctx, app, name); err != nil {
				w.cancel()
				return nil, fmt.Errorf("register %s: %w", name, err)
			}
		}
	}
	for i, app := range o.Apps {
		w.begin(app, uint64(i))
	}
	return w, nil
}

func talker(i int) string   { return fmt.Sprintf("talker%d", i%talkers) }
func opener(i int) string   { return fmt.Sprintf("opener%d", i) }
func roamer(i int) string   { return fmt.Sprintf("roamer%d", i) }
func switcher(i int) string { return fmt.Sprintf("switcher%d", i) }
func sleeper(i int) string  { return fmt.Sprintf("sleeper%d", i) }

const (
	overstayer = "overstayer"
	crier      = "crier"
)

// Names are the users that every app has.
func Names() (all []string) {
	for _, kind := range []struct {
		count int
		name  func(int) string
	}{{talkers, talker}, {openers, opener}, {roamers, roamer}, {switchers, switcher}, {sleepers, sleeper}} {
		for i := range kind.count {
			all = append(all, kind.name(i))
		}
	}
	return append(all, overstayer, crier)
}

// begin starts the actors of an app.
func (w *Workload) begin(app App, number uint64) {
	stream := number << 32
	start := func(run func(*actor)) {
		stream++
		a := &actor{w: w, app: app, rng: rand.New(rand.NewPCG(w.o.Seed, stream))}
		w.running.Go(func() { run(a) })
	}
	for i := range talkers {
		start(func(a *actor) { a.talk(talker(i), talker(i+1), talker(i+talkers-1)) })
	}
	for i := range openers {
		start(func(a *actor) { a.open(i) })
	}
	for i := range roamers {
		start(func(a *actor) { a.roam(roamer(i), talker(i)) })
	}
	for i := range switchers {
		start(func(a *actor) { a.switchDevices(switcher(i), talker(talkers-1-i)) })
	}
	start(func(a *actor) { a.overstay(overstayer, talker(0)) })
	for i := range sleepers {
		start(func(a *actor) { a.sleep(sleeper(i)) })
	}
	start(func(a *actor) { a.cry(crier) })
}

// actor is what all kinds of users have. It belongs to one goroutine.
type actor struct {
	w   *Workload
	app App
	rng *rand.Rand
}

// pause waits for a random time around a mean; false when the talk is over.
func (a *actor) pause(mean time.Duration) bool {
	timer := time.NewTimer(mean/2 + time.Duration(a.rng.Int64N(int64(mean))))
	defer timer.Stop()
	select {
	case <-timer.C:
		return a.w.talking.Err() == nil
	case <-a.w.talking.Done():
		return false
	}
}

// server is a random one.
func (a *actor) server() Server {
	all := a.w.o.Servers()
	return all[a.rng.IntN(len(all))]
}

// Counts gives the totals so far.
func (w *Workload) Counts() Counts {
	c := &w.counts
	return Counts{Acked: c.acked.Load(), Unknown: c.unknown.Load(), Refused: c.refused.Load(), Received: c.received.Load(), Reads: c.reads.Load()}
}

// Stop has nobody begin anything more and waits for what is under way; devices
// stay online.
func (w *Workload) Stop() {
	w.silence()
	w.running.Wait()
}

// Close ends all logins. Nothing of it is in the history.
func (w *Workload) Close(ctx context.Context) {
	w.mu.Lock()
	w.final = true
	var all []*device
	for d := range w.devices {
		all = append(all, d)
	}
	w.mu.Unlock()
	var closing sync.WaitGroup
	for _, d := range all {
		closing.Go(func() { _ = d.client.Close(ctx) })
	}
	closing.Wait()
	w.cancel()
	w.sockets.close()
}

// record writes an event.
func (w *Workload) record(e history.Event) int64 { return w.o.History.Record(e) }

// op numbers a call. Faults take theirs from another range.
func (w *Workload) op() uint64 { return w.ops.Add(1) }

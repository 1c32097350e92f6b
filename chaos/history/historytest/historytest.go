// Package historytest makes up histories of runs in which every promise was
// kept, for tests of what reads histories. It simulates users, faults and a
// perfect engine in virtual time; the same seed gives the same history. Nothing
// blocks.
package historytest

import (
	"bytes"
	"container/heap"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chat"
)

// Options size a history; zero fields are chosen by the seed.
type Options struct {
	Seed uint64
	// Length is the time until the workload ends.
	Length time.Duration
	// Apps, Users (of each app) and Nodes, 3 at least.
	Apps, Users, Nodes int
	// Pace is the mean time between two actions of a device.
	Pace time.Duration
}

// Good makes up a history without violations that has every kind of event. Its
// first event is the config.
func Good(o Options) []history.Event {
	w := &world{rng: rand.New(rand.NewPCG(o.Seed, 1))}
	w.o = o.withDefaults(w.rng)
	w.now = 1
	w.emit(history.Event{Kind: history.KindConfig, Config: &history.Config{
		Seed: o.Seed, Revision: "0123abcd", Nodes: w.nodeNames(), Command: fmt.Sprintf("parley-chaos run --seed %d", o.Seed),
		DeliverWithin: int64(10 * time.Second), AvailableWithin: int64(5 * time.Second),
	}})
	w.populate()
	w.planFaults()
	w.run()
	return w.out
}

// Reader gives events as a file would.
func Reader(events []history.Event) io.Reader {
	var file bytes.Buffer
	at := events[0].At
	w := history.NewWriterAt(&file, *events[0].Config, func() int64 { return at })
	for _, e := range events[1:] {
		at = e.At
		w.Record(e)
	}
	_ = w.Close() // a buffer takes everything
	return &file
}

func (o Options) withDefaults(r *rand.Rand) Options {
	if o.Length == 0 {
		o.Length = time.Duration(20+r.IntN(60)) * time.Second
	}
	if o.Apps == 0 {
		o.Apps = 1 + r.IntN(3)
	}
	if o.Users == 0 {
		o.Users = 2 + r.IntN(3)
	}
	if o.Nodes == 0 {
		o.Nodes = 3 + 2*r.IntN(2)
	}
	if o.Pace == 0 {
		o.Pace = time.Duration(500+r.IntN(1500)) * time.Millisecond
	}
	return o
}

// world is the simulation: what is due, in order of time.
type world struct {
	o       Options
	rng     *rand.Rand
	now     int64
	due     agenda
	ordinal int
	ops     uint64
	out     []history.Event
	over    bool // the workload has ended

	conversations []*conversation
	users         []*user
}

type user struct {
	app     chat.AppID
	name    string
	logins  []*login // that are online
	devices int
	in      []*conversation
	marks   map[*conversation]uint64
	revoked int64 // tokens given up to here are void
}

type conversation struct {
	app     chat.AppID
	name    string
	members [2]*user
	shard   uint16
	log     []*message
	sent    []*message
	downTo  int64 // no send goes through before
	bad     bool  // a send has failed since the last that went through
}

type message struct {
	in     *conversation
	cmid   string
	issued int64
	from   *user
	by     []*login
	seq    uint64
}

type task struct {
	at      int64
	ordinal int
	do      func()
}

// agenda is a heap of tasks.
type agenda []task

func (a agenda) Len() int      { return len(a) }
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(task)) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].ordinal < a[j].ordinal
}
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// after has something done later.
func (w *world) after(d time.Duration, do func()) {
	w.ordinal++
	heap.Push(&w.due, task{w.now + int64(d), w.ordinal, do})
}

// run does what is due until nothing is, and then what ends a run.
func (w *world) run() {
	w.after(w.o.Length, func() { w.over = true })
	for len(w.due) > 0 {
		next := heap.Pop(&w.due).(task)
		w.now = max(w.now, next.at)
		next.do()
	}
	w.now += int64(12 * time.Second)
	w.finish()
}

func (w *world) emit(e history.Event) {
	e.At = w.now
	w.out = append(w.out, e)
}

// between is a random time.
func (w *world) between(from, to time.Duration) time.Duration {
	return from + time.Duration(w.rng.Int64N(int64(to-from)))
}

// chance is true in p of 100 cases.
func (w *world) chance(p int) bool { return w.rng.IntN(100) < p }

func (w *world) op() uint64 {
	w.ops++
	return w.ops
}

func (w *world) node() string { return fmt.Sprintf("n%d", 1+w.rng.IntN(w.o.Nodes)) }

func (w *world) nodeNames() (all []string) {
	for i := range w.o.Nodes {
		all = append(all, fmt.Sprintf("n%d", i+1))
	}
	return all
}

func (w *world) cmid() string {
	var id [16]byte
	for i := range id {
		id[i] = byte(w.rng.Uint32())
	}
	return hex.EncodeToString(id[:])
}

// populate makes the users, who talk in pairs, and logs them in.
func (w *world) populate() {
	for app := range w.o.Apps {
		var users []*user
		for i := range w.o.Users {
			users = append(users, &user{app: chat.AppID(app + 1), name: fmt.Sprintf("u%d", i+1), marks: map[*conversation]uint64{}, revoked: -1})
		}
		for i, a := range users {
			for _, b := range users[:i] {
				v := &conversation{app: a.app, members: [2]*user{a, b}, name: history.Peer(a.name, b.name), shard: uint16(1 + w.rng.IntN(16))}
				w.conversations = append(w.conversations, v)
				a.in, b.in = append(a.in, v), append(b.in, v)
			}
		}
		w.users = append(w.users, users...)
	}
	for _, u := range w.users {
		w.after(w.between(0, time.Second), func() { w.login(u) })
		if w.chance(40) {
			w.after(w.between(0, 5*time.Second), func() { w.login(u) })
		}
		if w.chance(20) {
			w.after(w.between(5*time.Second, 10*time.Second), func() { w.revoke(u) })
		}
	}
}

// digest stands for a hash of the content.
func (m *message) digest() string { return m.cmid[:8] }

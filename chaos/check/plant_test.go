package check

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chaos/history/historytest"
	"github.com/parley-im/parley/chat"
)

// garden is a good history that something is planted in.
type garden struct {
	rng *rand.Rand
	all []history.Event
}

// plant is one way of breaking a history, and the class that it must be found
// as. consequences are classes that may be found beside it.
type plant struct {
	name         string
	class        Class
	consequences []Class
	// in breaks the history; false when it holds nothing that can be broken so.
	in func(g *garden) bool
}

// pick chooses an event of those that a condition holds for; -1 when there is none.
func (g *garden) pick(where func(i int, e *history.Event) bool) int {
	var found []int
	for i := range g.all {
		if where(i, &g.all[i]) {
			found = append(found, i)
		}
	}
	if len(found) == 0 {
		return -1
	}
	return found[g.rng.IntN(len(found))]
}

// change picks an event and changes it.
func (g *garden) change(where func(i int, e *history.Event) bool, how func(e *history.Event)) bool {
	i := g.pick(where)
	if i < 0 {
		return false
	}
	how(&g.all[i])
	return true
}

// remove drops the events that a condition holds for, and says whether any did.
func (g *garden) remove(where func(e *history.Event) bool) bool {
	before := len(g.all)
	g.all = slices.DeleteFunc(g.all, func(e history.Event) bool { return where(&e) })
	return len(g.all) < before
}

// insert puts events before index i, and gives them the time that is due there
// unless they have one.
func (g *garden) insert(i int, events ...history.Event) bool {
	for k := range events {
		events[k].At = max(events[k].At, g.all[i-1].At)
	}
	g.all = slices.Insert(g.all, i, events...)
	return true
}

// final is the index of the final event.
func (g *garden) final() int {
	return slices.IndexFunc(g.all, func(e history.Event) bool { return e.Kind == history.KindFinal })
}

// cmid is a client message id that was never sent.
func (g *garden) cmid() string { return fmt.Sprintf("%016x%016x", g.rng.Uint64(), g.rng.Uint64()) }

// of says whether an event is of a kind.
func of(k history.Kind) func(int, *history.Event) bool {
	return func(_ int, e *history.Event) bool { return e.Kind == k }
}

// sameLog says whether two events are of one conversation.
func sameLog(a, b *history.Event) bool { return a.App == b.App && a.Conversation == b.Conversation }

// sameDevice says whether they are of one device's.
func sameDevice(a, b *history.Event) bool {
	return sameLog(a, b) && a.User == b.User && a.Device == b.Device
}

// next is the index of the next event of e's kind in the same device's
// conversation, after i; -1 when there is none.
func (g *garden) next(i int) int {
	for k := i + 1; k < len(g.all); k++ {
		if g.all[k].Kind == g.all[i].Kind && sameDevice(&g.all[i], &g.all[k]) {
			return k
		}
	}
	return -1
}

// sent is the first send of a message.
func (g *garden) sent(cmid string) *history.Event {
	for i := range g.all {
		if g.all[i].Kind == history.KindSend && g.all[i].Cmid == cmid {
			return &g.all[i]
		}
	}
	return nil
}

// outcomes are the kinds of outcome of each message.
func (g *garden) outcomes() map[string][]history.Kind {
	call := map[uint64]string{}
	found := map[string][]history.Kind{}
	for _, e := range g.all {
		switch e.Kind {
		case history.KindSend:
			call[e.Op] = e.Cmid
		case history.KindOK, history.KindFail, history.KindUnknown:
			found[call[e.Op]] = append(found[call[e.Op]], e.Kind)
		}
	}
	return found
}

// acked says whether a message was acknowledged.
func (g *garden) acked() func(cmid string) bool {
	outcomes := g.outcomes()
	return func(cmid string) bool { return slices.Contains(outcomes[cmid], history.KindOK) }
}

// head is the last seq in the logs of e's conversation.
func (g *garden) head(e *history.Event) (head uint64) {
	for i := range g.all {
		if g.all[i].Kind == history.KindLog && sameLog(e, &g.all[i]) {
			head = max(head, g.all[i].Seq)
		}
	}
	return head
}

// append puts a message after the end of every log of its conversation.
func (g *garden) append(app chat.AppID, conversation, cmid, sender string) bool {
	seq := g.head(&history.Event{App: app, Conversation: conversation}) + 1
	var longer []history.Event
	for _, e := range g.all {
		last := e.Kind == history.KindLog && e.App == app && e.Conversation == conversation && e.Seq == seq-1
		if e.Kind == history.KindReplica && e.App == app && e.Conversation == conversation {
			e.Seq = seq
		}
		longer = append(longer, e)
		if last {
			longer = append(longer, history.Event{At: e.At, Kind: e.Kind, App: app, Conversation: conversation, Node: e.Node, Seq: seq, Cmid: cmid, Sender: sender, Hash: "ff"})
		}
	}
	g.all = longer
	return seq > 1
}

// quiet is the time that the generated histories leave before the final event.
const quietEnd = 12 * time.Second

// findings are the classes that the checker finds.
func findings(t *testing.T, events []history.Event) (*Verdict, []Class) {
	t.Helper()
	c := newChecker(*events[0].Config, Options{Conversations: 2, Operations: 200, Timeout: time.Minute})
	for i := range events[1:] {
		if err := c.step(&events[i+1]); err != nil {
			t.Fatalf("event %d, %+v: %v", i+1, events[i+1], err)
		}
	}
	v := c.finish()
	var found []Class
	for _, class := range Classes {
		if v.Counts[class] > 0 {
			found = append(found, class)
		}
	}
	return v, found
}

func TestEveryPlantIsFoundAsWhatItIs(t *testing.T) {
	const seeds, least = 120, 20
	planted, classes := map[string]int{}, map[Class]int{}
	told := map[string]bool{}
	complain := func(p plant, class Class, format string, args ...any) {
		t.Helper()
		if key := p.name + string(class); !told[key] { // one example of each is enough
			told[key] = true
			t.Errorf(format, args...)
		}
	}
	total := 0
	for seed := range uint64(seeds) {
		good := historytest.Good(historytest.Options{Seed: seed, Length: 40 * time.Second, Pace: 1500 * time.Millisecond})
		for _, p := range plants() {
			g := &garden{rng: rand.New(rand.NewPCG(seed, 2)), all: slices.Clone(good)}
			if !p.in(g) {
				continue
			}
			total++
			planted[p.name]++
			v, found := findings(t, g.all)
			if !slices.Contains(found, p.class) {
				complain(p, p.class, "seed %d: %s was not found as %s; found were %v", seed, p.name, p.class, v.Examples)
			}
			for _, class := range found {
				classes[class]++
				if class != p.class && !slices.Contains(p.consequences, class) {
					complain(p, class, "seed %d: %s was found as %s too: %v", seed, p.name, class, v.Examples[class])
				}
			}
		}
	}
	for _, p := range plants() {
		if planted[p.name] < least {
			t.Errorf("%s was planted %d times only", p.name, planted[p.name])
		}
	}
	for _, class := range Classes {
		if classes[class] == 0 {
			t.Errorf("nothing was found as %s", class)
		}
	}
	if total < 1000 {
		t.Errorf("%d plants only", total)
	}
	t.Logf("%d plants in %d histories: %v", total, seeds, planted)
}

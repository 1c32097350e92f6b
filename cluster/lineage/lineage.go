// Package lineage notices a data folder that goes back in time. A node whose
// folder was put back from an older copy has forgotten votes and entries that
// others count on; nothing in the folder itself shows it. So each folder counts
// beats, which are durable in it before others hear of them: one at each start, and
// one about every second in which something was promised. The others keep the newest
// beat that they heard of, and of which start it was. A folder that lacks a
// moment which another node remembers is an older copy, or a second process
// runs on a copy of it.
//
// It says nothing of who may wait for whom: link compares lineages in its
// handshakes, node waits for the others before its replicas take part. See
// docs/adr/0007 for what this proves and what it cannot see. Everything but
// Hello and Heard may wait for the disk.
package lineage

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/parley-im/parley/proto/peerpb"
	"github.com/parley-im/parley/storage"
)

// Bounds of what is kept and told.
const (
	keptStarts = 32
	keptSeen   = 1000
	toldSeen   = 40 // the most recent, so that a hello stays small
)

// Store is where a node keeps its lineage: with its data, so that whoever puts
// the one back puts the other back too.
type Store interface {
	Node() storage.NodeID
	Lineage() ([]byte, error)
	SetLineage(lineage []byte, sync bool) error
}

// Keeper is a running node's lineage, and what it knows of others'. All methods
// may be called from any goroutine.
//
// Invariant: what own says is durable before Hello or Beat gives it away.
type Keeper struct {
	store    Store
	outdated func(error)

	saving  sync.Mutex // one write or judgement at a time; taken before mu
	mu      sync.Mutex
	own     *peerpb.Lineage // never changed in place; seen: the newest news last
	unsaved bool            // news of others is not in the store yet
}

// Open begins a start of the node, which has a random number; the start is
// durable when Open returns. outdated is called with storage.ErrOutdated when
// another node says that the store is older than what it knows; it must not
// block.
func Open(store Store, start uint64, outdated func(error)) (*Keeper, error) {
	data, err := store.Lineage()
	if err != nil {
		return nil, err
	}
	k := &Keeper{store: store, outdated: outdated, own: new(peerpb.Lineage)}
	if err := k.own.UnmarshalVT(data); err != nil {
		return nil, fmt.Errorf("the store's lineage does not decode: %w", err)
	}
	k.saving.Lock()
	defer k.saving.Unlock()
	return k, k.save(true, func(own *peerpb.Lineage) {
		own.Beat++
		own.Starts = append(own.Starts, &peerpb.Moment{Beat: own.Beat, Start: start})
		own.Starts = own.Starts[max(0, len(own.Starts)-keptStarts):]
	})
}

// save changes the lineage in the store, then for others to see. The caller
// holds saving.
func (k *Keeper) save(sync bool, change func(*peerpb.Lineage)) error {
	k.mu.Lock()
	next := copyOf(k.own)
	k.unsaved = false
	k.mu.Unlock()
	change(next)
	data, err := next.MarshalVT()
	if err == nil {
		err = k.store.SetLineage(data, sync)
	}
	if err != nil {
		return fmt.Errorf("write the lineage: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.own = copyOf(k.own) // with what was heard meanwhile
	change(k.own)
	return nil
}

func copyOf(l *peerpb.Lineage) *peerpb.Lineage {
	return &peerpb.Lineage{Starts: slices.Clone(l.Starts), Beat: l.Beat, Seen: slices.Clone(l.Seen)}
}

// First says whether this is the store's first start: nobody knows of it.
func (k *Keeper) First() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.own.Starts[0].Beat == 1 && len(k.own.Starts) == 1
}

// Hello is what another node gets.
func (k *Keeper) Hello() *peerpb.Lineage {
	k.mu.Lock()
	defer k.mu.Unlock()
	return &peerpb.Lineage{Starts: k.own.Starts, Beat: k.own.Beat, Seen: k.own.Seen[max(0, len(k.own.Seen)-toldSeen):]}
}

// Judge compares another node's hello with what is known of it and remembers
// it, durably. storage.ErrOutdated: the node must not be listened to.
func (k *Keeper) Judge(node storage.NodeID, theirs *peerpb.Lineage) error {
	if theirs == nil || len(theirs.Starts) == 0 {
		return fmt.Errorf("node %q tells no lineage", node)
	}
	now := &peerpb.Moment{Beat: theirs.Beat, Start: theirs.Starts[len(theirs.Starts)-1].Start}
	k.saving.Lock()
	defer k.saving.Unlock()
	news := true
	for _, known := range k.known(node) {
		if !Holds(theirs, known) {
			return fmt.Errorf("%w (it is at beat %d of start %x, and was at beat %d of start %x)", storage.ErrOutdated, now.Beat, now.Start, known.Beat, known.Start)
		}
		news = news && known.Beat < now.Beat
	}
	k.learn(node, theirs.Seen)
	if !news && !k.heardMore() {
		return nil
	}
	return k.save(true, func(own *peerpb.Lineage) {
		if !news {
			return // a third node told of this moment: it only has to be durable
		}
		newest := &peerpb.Seen{Node: string(node), Moment: now}
		own.Seen = slices.DeleteFunc(own.Seen, func(s *peerpb.Seen) bool {
			held := s.Node == newest.Node && Holds(theirs, s.Moment)
			if held && s.Moment.Beat > newest.Moment.Beat { // heard since the hello was written
				newest = s
			}
			return held
		})
		remember(own, newest)
	})
}

// heardMore says whether news of others are not in the store yet.
func (k *Keeper) heardMore() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.unsaved
}

// learn takes in what another node knows, of this one too.
func (k *Keeper) learn(from storage.NodeID, seen []*peerpb.Seen) {
	for _, s := range seen {
		if s.Moment == nil {
			continue
		}
		if s.Node != string(k.store.Node()) {
			k.hear(s)
		} else if !Holds(k.Hello(), s.Moment) {
			k.Outdated(from, fmt.Sprintf("(it was at beat %d of start %x)", s.Moment.Beat, s.Moment.Start))
		}
	}
}

// Heard takes in a beat of a node whose hello was accepted.
func (k *Keeper) Heard(node storage.NodeID, beat *peerpb.Moment) {
	k.hear(&peerpb.Seen{Node: string(node), Moment: beat})
}

func (k *Keeper) hear(s *peerpb.Seen) {
	k.mu.Lock()
	defer k.mu.Unlock()
	next := copyOf(k.own)
	if remember(next, s) {
		k.own, k.unsaved = next, true
	}
}

// Outdated ends this node: another one says that its folder is too old.
func (k *Keeper) Outdated(by storage.NodeID, reason string) {
	reason = strings.TrimPrefix(reason, storage.ErrOutdated.Error()+" ")
	k.outdated(fmt.Errorf("%w, says node %s %s", storage.ErrOutdated, by, reason))
}

// Beat counts one more when something was promised since the last, makes it
// durable and gives it, for the others to be told; nil when it counted none.
// What was heard of others is written too.
func (k *Keeper) Beat(promised bool) (*peerpb.Moment, error) {
	if !promised && !k.heardMore() {
		return nil, nil
	}
	k.saving.Lock()
	defer k.saving.Unlock()
	var now *peerpb.Moment
	err := k.save(promised, func(own *peerpb.Lineage) {
		if promised {
			own.Beat++
			now = &peerpb.Moment{Beat: own.Beat, Start: own.Starts[len(own.Starts)-1].Start}
		}
	})
	if err != nil {
		return nil, err
	}
	return now, nil
}

// known are the newest moments of each start of a node that others told of; the
// node itself has to have them all.
func (k *Keeper) known(node storage.NodeID) (all []*peerpb.Moment) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.own.Seen {
		if s.Node == string(node) {
			all = append(all, s.Moment)
		}
	}
	return all
}

// remember puts a moment into a lineage that nobody else has, if it is news.
// Moments of different starts stay beside one another until the node shows a
// lineage that holds them: the later one may be that of the older copy.
func remember(l *peerpb.Lineage, s *peerpb.Seen) bool {
	i := slices.IndexFunc(l.Seen, func(have *peerpb.Seen) bool { return have.Node == s.Node && have.Moment.Start == s.Moment.Start })
	if i >= 0 {
		if s.Moment.Beat <= l.Seen[i].Moment.Beat {
			return false
		}
		l.Seen = slices.Delete(l.Seen, i, i+1)
	}
	l.Seen = append(l.Seen, s)
	l.Seen = l.Seen[max(0, len(l.Seen)-keptSeen):]
	return true
}

// Holds says whether a moment belongs to a lineage. One from before the starts
// that the lineage still knows passes, and so does any of its last start: that is
// the process itself, whose word may have been overtaken by a later beat.
func Holds(l *peerpb.Lineage, m *peerpb.Moment) bool {
	if n := len(l.Starts); n > 0 && l.Starts[n-1].Start == m.Start {
		return true
	}
	if m.Beat > l.Beat {
		return false
	}
	for _, s := range slices.Backward(l.Starts) {
		if s.Beat <= m.Beat {
			return s.Start == m.Start
		}
	}
	return true
}

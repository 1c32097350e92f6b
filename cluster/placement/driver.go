package placement

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/parley-im/parley/storage"
)

// Timing of the driver.
const (
	lookEvery    = time.Second
	metaDeadline = 2 * time.Second
	// transferDeadline is how long a transfer may take to be seen.
	transferDeadline = 3 * time.Second
	// reshapeDeadline has to be enough to send a large shard.
	reshapeDeadline = 10 * time.Minute
	// settleTime is how long a step that succeeded counts as under way while what
	// is observed does not show it yet.
	settleTime = 3 * time.Second
)

// Cluster is what the driver sees and moves. Methods may be called from any
// goroutine; those with a context may block until it ends.
type Cluster interface {
	// Observed gives every shard, as last heard of.
	Observed() []Shard
	// Members are the live nodes of the cluster, this one included.
	Members() []Member
	// Reshape has a shard's leader bring its replicas to a target.
	Reshape(ctx context.Context, leader storage.NodeID, shard storage.ShardID, t Target) error
	// Transfer asks a shard's leader to hand over; Observed shows the end.
	Transfer(ctx context.Context, leader storage.NodeID, shard storage.ShardID, to storage.NodeID) error
	// Meta and SetMeta are those of the meta shard's leader: the error of SetMeta
	// is storage.ErrConflict when the document is not of the expected version.
	Meta(ctx context.Context) (storage.Document, error)
	SetMeta(ctx context.Context, expect uint64, document []byte) error
}

// Options says what a driver works with.
type Options struct {
	Cluster Cluster
	// Found is the registry that a new cluster begins with: Cluster, Shards and
	// Version.
	Found Registry
	Now   func() time.Time
	Log   *slog.Logger
}

// Driver keeps the registry and has the steps done, between a Start and the
// next Stop.
type Driver struct {
	o     Options
	nudge chan struct{}

	mu       sync.Mutex
	stop     context.CancelFunc // nil: not started
	ended    chan struct{}      // of the latest run
	moves    []*move
	silences map[storage.NodeID]silence
}

// silence is how long a node has been missed: what the registry said when this
// leadership missed it first, and since then, by the monotonic clock.
type silence struct {
	before time.Duration
	since  time.Time
}

// move is a step that was begun.
type move struct {
	Step
	since    time.Time
	cancel   context.CancelFunc
	finished time.Time // zero while it is under way
	failed   bool
}

// Move is a change of replicas under way.
type Move struct {
	Shard  storage.ShardID
	Target Target
	Since  time.Time
}

// NewDriver makes a driver that is not started.
func NewDriver(o Options) *Driver {
	ended := make(chan struct{})
	close(ended)
	return &Driver{o: o, nudge: make(chan struct{}, 1), ended: ended}
}

// Start has the driver work, as this node leads the meta shard in a term. It
// does not block.
func (d *Driver) Start(term storage.Term) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stop != nil {
		d.stop()
	}
	ctx, stop := context.WithCancel(context.Background())
	before, ended := d.ended, make(chan struct{})
	d.stop, d.ended = stop, ended
	log := d.o.Log.With("term", uint64(term))
	go func() {
		defer close(ended)
		<-before
		d.run(ctx, log)
	}()
}

// Stop has the driver end its work, as this node leads no longer. It does not
// block.
func (d *Driver) Stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stop != nil {
		d.stop()
		d.stop = nil
	}
}

// Close stops and waits for the end.
func (d *Driver) Close(ctx context.Context) error {
	d.Stop()
	d.mu.Lock()
	ended := d.ended
	d.mu.Unlock()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Nudge has the driver look at once: something has changed.
func (d *Driver) Nudge() {
	select {
	case d.nudge <- struct{}{}:
	default:
	}
}

// Moves lists the changes of replicas under way; none when it is not started.
func (d *Driver) Moves() []Move {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Move
	for _, m := range d.moves {
		if m.To == "" && m.finished.IsZero() {
			out = append(out, Move{m.Shard, m.Target, m.since})
		}
	}
	return out
}

// Silent tells how long nodes have been missed; nothing when it is not started.
func (d *Driver) Silent() map[storage.NodeID]time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make(map[storage.NodeID]time.Duration, len(d.silences))
	for n, s := range d.silences {
		out[n] = s.before + time.Since(s.since)
	}
	return out
}

// listen notes who is missing.
func (d *Driver) listen(r *Registry, members []Member) {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := make(map[storage.NodeID]silence)
	for _, n := range r.Nodes {
		if n.State == Removed || alive(members, n.ID) {
			continue
		}
		s, known := d.silences[n.ID]
		if !known {
			s = silence{time.Duration(n.SilentMs) * time.Millisecond, time.Now()}
		}
		next[n.ID] = s
	}
	d.silences = next
}

// Edit changes the registry by a function that may be called again when
// somebody else was faster; its error ends the edit. It works on the node that
// leads the meta shard.
func (d *Driver) Edit(ctx context.Context, edit func(*Registry) error) error {
	for {
		version, r, err := d.registry(ctx)
		if err == nil {
			err = edit(&r)
		}
		if err != nil {
			return err
		}
		if err = d.write(ctx, version, r); !errors.Is(err, storage.ErrConflict) {
			d.Nudge()
			return err
		}
	}
}

// Drain has a node give away what it holds; errors as of Registry.Drain and of
// the Cluster.
func (d *Driver) Drain(ctx context.Context, id storage.NodeID) error {
	return d.Edit(ctx, func(r *Registry) error { return r.Drain(id) })
}

// Undrain makes a draining node active again.
func (d *Driver) Undrain(ctx context.Context, id storage.NodeID) error {
	return d.Edit(ctx, func(r *Registry) error { return r.Undrain(id) })
}

// Remove gives a node up for good.
func (d *Driver) Remove(ctx context.Context, id storage.NodeID) error {
	return d.Edit(ctx, func(r *Registry) error { return r.Remove(id) })
}

// registry reads the registry; a document that was never set is the one that a
// cluster begins with.
func (d *Driver) registry(ctx context.Context) (version uint64, r Registry, err error) {
	doc, err := d.o.Cluster.Meta(ctx)
	if err != nil || doc.Version == 0 {
		return 0, d.o.Found, err
	}
	r, err = Decode(doc.Content)
	return doc.Version, r, err
}

func (d *Driver) write(ctx context.Context, expect uint64, r Registry) error {
	document, err := r.Encode()
	if err != nil {
		return err
	}
	return d.o.Cluster.SetMeta(ctx, expect, document)
}

// run is the driver's goroutine in one leadership.
func (d *Driver) run(ctx context.Context, log *slog.Logger) {
	var running sync.WaitGroup
	defer running.Wait()
	defer d.forget()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		if err := d.look(ctx, &running, log); err != nil && ctx.Err() == nil {
			log.Warn("placement waits", "error", err)
		}
		select {
		case <-look.C:
		case <-d.nudge:
		case <-ctx.Done():
			return
		}
	}
}

// forget ends what is under way.
func (d *Driver) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range d.moves {
		m.cancel()
	}
	d.moves, d.silences = nil, nil
}

// look brings the registry up to date and begins what is next.
func (d *Driver) look(ctx context.Context, running *sync.WaitGroup, log *slog.Logger) error {
	quick, cancel := context.WithTimeout(ctx, metaDeadline)
	defer cancel()
	version, r, err := d.registry(quick)
	if err != nil {
		return err
	}
	members, shards := d.o.Cluster.Members(), d.o.Cluster.Observed()
	d.listen(&r, members)
	changed := r.Observe(members, d.Silent())
	if r.Forget(members, shards) || changed || version == 0 {
		if err := d.write(quick, version, r); err != nil {
			return err // the next look begins with what is there then
		}
	}
	v := View{Registry: r, Shards: shards}
	for _, m := range members {
		v.Alive = append(v.Alive, m.ID)
		if m.Leaving {
			v.Leaving = append(v.Leaving, m.ID)
		}
	}
	v.InFlight = d.settle(v)
	for _, s := range Next(v) {
		d.begin(ctx, s, running, log)
	}
	return nil
}

// settle gives up steps that cannot succeed any more, drops those that have
// ended, and lists the rest.
func (d *Driver) settle(v View) (left []Step) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.moves = slices.DeleteFunc(d.moves, func(m *move) bool {
		i := slices.IndexFunc(v.Shards, func(s Shard) bool { return s.ID == m.Shard })
		if i < 0 {
			return !m.finished.IsZero()
		}
		s := &v.Shards[i]
		if m.finished.IsZero() {
			if !m.possible(v, s) {
				m.cancel()
			}
			return false
		}
		seen := s.Leader != m.Leader
		if m.To == "" {
			seen = s.is(m.Target)
		}
		return m.failed || seen || time.Since(m.finished) > settleTime
	})
	for _, m := range d.moves {
		left = append(left, m.Step)
	}
	return left
}

// possible says whether a step under way can still succeed: its leader leads,
// and the nodes that are to get something live.
func (m *move) possible(v View, s *Shard) bool {
	if s.Leader != "" && s.Leader != m.Leader || !v.alive(m.Leader) {
		return false
	}
	for _, n := range slices.Concat(m.Target.Voters, m.Target.Learners) {
		if !slices.Contains(s.Voters, n) && !v.alive(n) {
			return false
		}
	}
	return true
}

// begin has a step done.
func (d *Driver) begin(ctx context.Context, s Step, running *sync.WaitGroup, log *slog.Logger) {
	deadline := reshapeDeadline
	if s.To != "" {
		deadline = transferDeadline
	}
	ctx, cancel := context.WithTimeout(ctx, deadline)
	m := &move{Step: s, since: d.o.Now(), cancel: cancel}
	d.mu.Lock()
	d.moves = append(d.moves, m)
	d.mu.Unlock()
	running.Go(func() {
		defer cancel()
		var err error
		if s.To != "" {
			log.Info("leadership is transferred", "shard", s.Shard, "from", s.Leader, "to", s.To)
			err = d.o.Cluster.Transfer(ctx, s.Leader, s.Shard, s.To)
		} else {
			log.Info("replicas are moved", "shard", s.Shard, "leader", s.Leader, "voters", s.Target.Voters, "learners", s.Target.Learners)
			err = d.o.Cluster.Reshape(ctx, s.Leader, s.Shard, s.Target)
		}
		if err != nil {
			log.Info("a step of placement failed; it is chosen again", "shard", s.Shard, "error", err)
		}
		d.mu.Lock()
		m.finished, m.failed = time.Now(), err != nil
		d.mu.Unlock()
		if err == nil {
			d.Nudge()
		}
	})
}

package session

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/internal/fair"
	"github.com/parley-im/parley/storage"
)

// Bounds of the tables of a node and of how they are read.
const (
	keepFor     = 5 * time.Minute // after somebody asked for the list
	maxRows     = 2 << 20         // of a node, some 230 MB; above it tables are dropped when they have answered
	maxReadings = 1024            // tables that a node reads at once
	largeTable  = 1000            // rows; of such tables it reads maxLarge at once
	maxLarge    = 2
	maxLooks    = 4   // looks of one reading under way
	maxLookedAt = 256 // heads of one look
	yieldEvery  = 64  // rows of a set that are read without a pause
)

// Tables is what the sessions of a node share for their lists of conversations.
type Tables struct {
	all, large *fair.Line
	rows       atomic.Int64
}

// NewTables makes a node's.
func NewTables() *Tables {
	return &Tables{all: fair.NewLine(maxReadings), large: fair.NewLine(maxLarge)}
}

// Rows is how many rows are kept.
func (t *Tables) Rows() int64 { return t.rows.Load() }

// reading is the first reading of the table: the user's set, streaming, and then
// the heads of its conversations from their shards. What changes meanwhile gathers
// as heads that were pushed, and in late.
type reading struct {
	table      *table // once the set has been read
	late       []func(*table)
	all, large *fair.Place
}

// readingTurn says that a reading may go on.
type readingTurn struct{ reading *reading }

// setRead brings the user's conversations.
type setRead struct {
	reading *reading
	rows    []row
	err     error
}

func (s *session) beginReading() {
	r := &reading{}
	s.lists.reading, s.lists.opened = r, nil
	root, self := s.o.System.Root, s.self
	r.all = s.o.Tables.all.Enter(func() { root.Send(self, readingTurn{r}) })
}

// continueReading goes on with the set, or when that is known with the heads.
func (s *session) continueReading(ctx actor.Context, r *reading) {
	switch {
	case s.lists.reading != r:
	case !s.lists.wanted():
		s.endReading()
	case r.table == nil:
		s.readSet(r)
	default:
		rows := make([]uint32, len(r.table.rows))
		for i := range rows {
			rows[i] = uint32(i)
		}
		wanted := func() bool { return s.lists.reading == r && s.lists.wanted() }
		s.readHeads(ctx, r.table, rows, wanted, func(ctx actor.Context, err error) { s.finishReading(ctx, r, err) })
	}
}

// readSet reads the marks of the user's conversations. Pushes from then on leave
// their heads.
func (s *session) readSet(r *reading) {
	s.act.KeepHeads()
	s.busy++
	read := setRead{reading: r}
	root, self := s.o.System.Root, s.self
	s.o.Replicator.Read(s.act.Shard, s.asker(storage.Client), func(v storage.View) error {
		return v.Memberships(s.user, func(k chat.ConversationKey, m chat.Membership) bool {
			if _, ok := k.Other(s.user.ID); ok {
				r := row{key: k}
				r.setMembership(m)
				read.rows = append(read.rows, r)
			}
			if len(read.rows)%yieldEvery == 0 {
				runtime.Gosched() // others have few readers and processors
			}
			return true
		})
	}, func(err error) {
		read.err = err
		root.Send(self, read)
	})
}

// takeSet makes the table; that of many rows waits for its turn to read heads.
func (s *session) takeSet(ctx actor.Context, m setRead) {
	s.busy--
	r := m.reading
	switch {
	case s.lists.reading != r:
		return
	case m.err != nil:
		s.finishReading(ctx, r, m.err)
		return
	}
	r.table = newTable(s.user.ID, m.rows)
	for _, do := range r.late {
		do(r.table)
	}
	r.late = nil
	if len(m.rows) < largeTable {
		s.continueReading(ctx, r)
		return
	}
	root, self := s.o.System.Root, s.self
	r.large = s.o.Tables.large.Enter(func() { root.Send(self, readingTurn{r}) })
}

// finishReading has the table answer whoever waits for it.
func (s *session) finishReading(ctx actor.Context, r *reading, err error) {
	ls := &s.lists
	if ls.reading != r {
		return
	}
	s.endReading()
	switch {
	case err == nil:
		r.table.sort()
		ls.table, ls.asked = r.table, time.Now()
	case err != errUnwanted:
		s.refuseLists(false, err)
	}
	if ls.table == nil {
		s.act.DropHeads()
	}
	s.nextPage(ctx)
}

// endReading gives up the reading of the table, if one is under way.
func (s *session) endReading() {
	if r := s.lists.reading; r != nil {
		r.all.Leave()
		r.large.Leave()
		s.lists.reading = nil
	}
}

// dropTable forgets the table, which the next request for the list reads again.
func (s *session) dropTable() {
	s.endReading()
	s.act.DropHeads()
	s.lists.table, s.lists.opened = nil, nil
	s.countRows()
}

// countRows has the node know how many rows are kept here.
func (s *session) countRows() {
	rows := 0
	if t := s.lists.table; t != nil {
		rows = len(t.rows)
	}
	s.o.Tables.rows.Add(int64(rows - s.lists.counted))
	s.lists.counted = rows
}

// tidy drops the table when nobody has asked for it for long, or when the node
// keeps too much.
func (s *session) tidy() {
	s.countRows()
	ls := &s.lists
	if ls.table != nil && ls.page == nil && (s.o.Tables.Rows() > maxRows || time.Since(ls.asked) > keepFor) {
		s.dropTable()
	}
}

// takeHeads brings the table up to what was pushed.
func (s *session) takeHeads() {
	ls := &s.lists
	t := ls.table
	if t == nil && ls.reading != nil {
		t = ls.reading.table
	}
	if t == nil {
		return
	}
	heads, complete := s.act.TakeHeads()
	if !complete {
		s.dropTable()
		return
	}
	for k, h := range heads {
		t.head(k, h)
	}
}

// onTable has something done to the table, once it is known which conversations the
// user has.
func (s *session) onTable(do func(*table)) {
	switch ls := &s.lists; {
	case ls.table != nil:
		do(ls.table)
	case ls.reading == nil:
	case ls.reading.table != nil:
		do(ls.reading.table)
	default:
		ls.reading.late = append(ls.reading.late, do)
	}
}

// openInTable makes a conversation one of the table's. Its head is read when the
// list is asked for, unless it was pushed by then.
func (s *session) openInTable(k chat.ConversationKey) {
	s.onTable(func(t *table) {
		if t.add(k) {
			s.lists.opened = append(s.lists.opened, uint32(len(t.rows)-1))
		}
	})
}

// markInTable notes how far the user has read.
func (s *session) markInTable(k chat.ConversationKey, m chat.Mark) {
	s.openInTable(k)
	s.onTable(func(t *table) { t.mark(k, m) })
}

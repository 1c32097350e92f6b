package check

import (
	"sort"

	"github.com/parley-im/parley/chaos/history"
	"github.com/parley-im/parley/chat"
)

// message is one cmid.
type message struct {
	cmid         string
	conversation *conversation
	sender       string
	digest       string
	sent         int64    // the first send
	by           []*login // who sent it, without doubles
	floor        uint64   // the highest seq known at the first send
	attempts     int
	waiting      int  // attempts without outcome
	doubtful     bool // some attempt's outcome is unknown
	acked        int64
	seq          uint64 // as the first ok told
	logged       uint64 // its first place in a log
	judged       bool   // told as lost already
}

// possible says whether the message may stand in a log.
func (m *message) possible() bool { return m.acked > 0 || m.doubtful || m.waiting > 0 }

// sentBy says whether this very login sent it.
func (m *message) sentBy(l *login) bool {
	for _, by := range m.by {
		if by == l {
			return true
		}
	}
	return false
}

// claim is somebody's word that a message stands at a seq.
type claim struct {
	m   *message
	who string // user or node
	how history.Kind
}

// conflict is a claim that differs from an earlier one for the same seq.
type conflict struct {
	seq uint64
	claim
}

type conversationKey struct {
	app  chat.AppID
	name string
}

// conversation is what is known of one. claims and log are indexed by seq-1.
type conversation struct {
	conversationKey
	shard     uint16
	messages  int // that were sent to it
	claims    []claim
	conflicts []conflict
	known     points // seqs
	marks     map[string]*points
	unreads   []unread

	log      []*message // nil: a hole
	hashes   []string
	replicas []*replica

	down   down
	sample *sample // nil: not in the sample
}

// entry is what the logs have at seq, or without logs the first claim; nil when
// there is nothing.
func (c *conversation) entry(seq uint64) *message {
	switch {
	case len(c.replicas) > 0:
		if seq <= uint64(len(c.log)) {
			return c.log[seq-1]
		}
	case seq <= uint64(len(c.claims)):
		return c.claims[seq-1].m
	}
	return nil
}

// head is the last seq of entry.
func (c *conversation) head() uint64 {
	if len(c.replicas) > 0 {
		return uint64(len(c.log))
	}
	return uint64(len(c.claims))
}

// points is a value that only grows, over time.
type points struct {
	at  []int64
	max []uint64
}

// add notes that the value was seen at a time that is not before the last one.
func (p *points) add(at int64, value uint64) {
	n := len(p.max)
	switch {
	case n > 0 && p.max[n-1] >= value:
	case n > 0 && p.at[n-1] == at:
		p.max[n-1] = value
	default:
		p.at, p.max = append(p.at, at), append(p.max, value)
	}
}

// last is the value; 0 when none was seen.
func (p *points) last() uint64 {
	if len(p.max) == 0 {
		return 0
	}
	return p.max[len(p.max)-1]
}

// before is the value that was seen strictly before a time.
func (p *points) before(at int64) uint64 {
	n := len(p.at)
	if n == 0 || p.at[n-1] < at {
		return p.last()
	}
	n = sort.Search(n, func(i int) bool { return p.at[i] >= at })
	if n == 0 {
		return 0
	}
	return p.max[n-1]
}

type userKey struct {
	app  chat.AppID
	user string
}

type loginKey struct {
	userKey
	device string
}

// login is one life of a device.
type login struct {
	loginKey
	at      int64
	closed  bool  // nothing more is owed to it
	out     bool  // it has logged out
	token   int64 // when it was given
	expires int64 // 0: never
	cursors map[*conversation]*cursor
}

// cursor is how far a login has got in a conversation.
type cursor struct {
	first, last uint64
	skipped     []span
}

// span is the seqs from first to last.
type span struct{ first, last uint64 }

// take removes seq from the skipped ones, if it is one of them or before the
// first.
func (c *cursor) take(seq uint64) bool {
	if seq < c.first {
		c.skipped = append(c.skipped, span{seq, c.first - 1})
		c.first = seq
	}
	for i, s := range c.skipped {
		if seq < s.first || seq > s.last {
			continue
		}
		c.skipped = append(c.skipped[:i], c.skipped[i+1:]...)
		if s.first < seq {
			c.skipped = append(c.skipped, span{s.first, seq - 1})
		}
		if seq < s.last {
			c.skipped = append(c.skipped, span{seq + 1, s.last})
		}
		return true
	}
	return false
}

package check

import (
	"cmp"
	"slices"
	"sort"

	"github.com/parley-im/parley/chat"
)

// finish judges what only the logs can decide.
func (c *checker) finish() *Verdict {
	v := c.v
	v.Conversations = len(c.conversations)
	c.effects()
	for _, w := range c.conversations {
		c.ends(w)
	}
	apps := map[conversationKey]bool{}
	for key := range c.conversations {
		apps[conversationKey{app: key.app}] = true
	}
	if len(apps) > 1 {
		c.tally["I12"].Exercised = v.Delivered + v.Reads + v.LogEntries
	}
	for _, m := range c.order {
		c.judge(m)
	}
	for i := range v.Windows {
		w := &v.Windows[i]
		w.Shard = c.conversations[conversationKey{chat.AppID(w.App), w.Conversation}].shard
	}
	for _, w := range c.ordered() {
		c.claims(w)
		c.counts(w)
		if w.down.waiting > 0 && c.final > 0 {
			c.available(c.final, w)
		}
	}
	c.deliveries()
	c.linear()
	if c.final == 0 {
		v.Notes = append(v.Notes, "there is no final event: what was not delivered at the end is not judged")
	}
	slices.SortStableFunc(v.Windows, func(a, b Window) int { return cmp.Compare(a.From, b.From) })
	v.Recoveries = recoveries(v.Windows, v.Faults)
	return v
}

// ordered gives the conversations in an order that does not change.
func (c *checker) ordered() []*conversation {
	all := make([]*conversation, 0, len(c.conversations))
	for _, v := range c.conversations {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b *conversation) int {
		return cmp.Or(cmp.Compare(a.app, b.app), cmp.Compare(a.name, b.name))
	})
	return all
}

// judge compares a message's outcome with the logs.
func (c *checker) judge(m *message) {
	v := m.conversation
	c.v.Sent++
	switch {
	case m.acked > 0:
		c.v.Acked++
	case m.possible():
		c.v.Unknown++
	default:
		c.v.Failed++
	}
	if m.attempts > 1 {
		c.v.Retried++
		c.exercise("I2")
	}
	if len(v.replicas) == 0 {
		return
	}
	switch {
	case m.acked > 0:
		c.exercise("I1")
		c.stands(v, m.seq, claim{m, m.sender, "ok"})
		return
	case !m.possible() && m.logged > 0:
		m.judged = true
		c.violate("I7", Phantom, "%s was refused and is seq %d of the logs", m, m.logged)
	case m.logged > 0 && m.logged <= m.floor:
		c.violate("I5", Reorder, "%s, sent at %v when seq %d was known, is seq %d of the logs", m, clock(m.sent), m.floor, m.logged)
	}
	c.exercise("I7")
}

// claims compares what was told to users with the logs.
func (c *checker) claims(v *conversation) {
	for i, told := range v.claims {
		if told.m != nil {
			c.stands(v, uint64(i+1), told)
		}
	}
	for _, told := range v.conflicts {
		if len(v.replicas) == 0 {
			first := v.claims[told.seq-1]
			c.violate("I3", Diverge, "seq %d of %s is %s by %s %s, and %s by %s %s", told.seq, v.name, first.m, first.how, first.who, told.m, told.how, told.who)
			continue
		}
		c.stands(v, told.seq, told.claim)
	}
	known, head := v.known.last(), uint64(len(v.log))
	if len(v.replicas) > 0 && known > head && known > uint64(len(v.claims)) {
		c.violate("I1", Lost, "%s was told to end at seq %d, and its logs end at %d", v.name, known, head)
	}
}

// stands checks that a claim is true, once for each message.
func (c *checker) stands(v *conversation, seq uint64, told claim) {
	m := told.m
	if !m.possible() && !m.judged {
		m.judged = true
		c.violate("I7", Phantom, "%s was refused, and %s %s told it as seq %d", m, told.how, told.who, seq)
	}
	if len(v.replicas) == 0 || m.judged || seq <= v.base() {
		return
	}
	if seq <= uint64(len(v.log)) && v.log[seq-1] == m {
		return
	}
	m.judged = true
	if m.logged == 0 {
		c.violate("I1", Lost, "%s was told as seq %d by %s %s and is in no log", m, seq, told.how, told.who)
		return
	}
	c.violate("I1", Reorder, "%s was told as seq %d by %s %s, and is seq %d of the logs", m, seq, told.how, told.who, m.logged)
}

// counts compares unread counts with the logs.
func (c *checker) counts(v *conversation) {
	for seq := v.base() + 1; seq <= v.head(); seq++ {
		if v.entry(seq) == nil {
			return // nobody knows whose it is
		}
	}
	own := map[string][]uint64{} // by user: how many of the entries up to seq are their own
	for _, u := range v.unreads {
		if u.head > v.head() || u.read < v.base() {
			continue
		}
		if own[u.user] == nil {
			sums := make([]uint64, v.head()+1)
			for seq := uint64(1); seq <= v.head(); seq++ {
				sums[seq] = sums[seq-1]
				if m := v.entry(seq); m != nil && m.sender == u.user {
					sums[seq]++
				}
			}
			own[u.user] = sums
		}
		c.exercise("I9")
		var want uint64
		if u.read < u.head {
			want = u.head - u.read - (own[u.user][u.head] - own[u.user][u.read])
		}
		if u.count != want {
			c.violate("I9", Unread, "at %v %s was told that %d are unread in %s, read up to %d of %d; %d are", clock(u.at), u.user, u.count, v.name, u.read, u.head, want)
		}
	}
}

// deliveries checks that nothing that was owed to a login was left out.
func (c *checker) deliveries() {
	latest := map[*conversation][]int64{}
	for _, l := range c.all {
		for _, v := range c.byUser[l.userKey] {
			k := l.cursors[v]
			if k != nil {
				c.skipped(l, v, k)
			}
			if latest[v] == nil {
				latest[v] = v.latestSends()
			}
			// Below it every message was sent before the login.
			from := uint64(sort.Search(len(latest[v]), func(i int) bool { return latest[v][i] > l.at })) + 1
			if k == nil {
				k = &cursor{first: from, last: from - 1}
			}
			for seq := from; seq < min(k.first, v.head()+1); seq++ {
				if m := v.entry(seq); m.owed(l) {
					c.violate("I4", Gap, "%s/%s, logged in at %v, began %s with seq %d and did not get seq %d, sent at %v", l.user, l.device, clock(l.at), v.name, k.first, seq, clock(m.sent))
				}
			}
			c.undelivered(l, v, max(from, k.last+1))
		}
	}
}

// latestSends gives for each seq the time of the latest send up to it.
func (v *conversation) latestSends() []int64 {
	times := make([]int64, v.head())
	var latest int64
	for i := range times {
		if m := v.entry(uint64(i + 1)); m != nil {
			latest = max(latest, m.sent)
		}
		times[i] = latest
	}
	return times
}

// owed says whether the message must come to the login; m may be nil.
func (m *message) owed(l *login) bool {
	return m != nil && m.sent > l.at && !m.sentBy(l)
}

// skipped checks that what a login's deliveries left out was its own.
func (c *checker) skipped(l *login, v *conversation, k *cursor) {
	for _, s := range k.skipped {
		for seq := s.first; seq <= min(s.last, v.head()); seq++ {
			if m := v.entry(seq); m != nil && !m.sentBy(l) {
				c.violate("I4", Gap, "%s/%s got %s up to seq %d without seq %d", l.user, l.device, v.name, k.last, seq)
			}
		}
	}
}

// undelivered checks that a login that was online to the end has everything
// that is due, from a seq on.
func (c *checker) undelivered(l *login, v *conversation, from uint64) {
	if l.closed || c.final == 0 || c.open > 0 {
		return
	}
	for seq := from; seq <= v.head(); seq++ {
		m := v.entry(seq)
		if !m.owed(l) || m.acked == 0 || m.logged > 0 && m.logged != seq || c.final-max(m.acked, c.calm, l.at) <= c.deliverWithin {
			continue
		}
		if c.healed {
			c.exercise("I8")
		}
		c.violate("I8", Late, "seq %d of %s, %s, acknowledged at %v, had not come to %s/%s at %v", seq, v.name, m, clock(m.acked), l.user, l.device, clock(c.final))
	}
}

package load

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// stream is a conversation as both its users see it, checked as it goes: each
// side is to know every seq from 1 on, with the same message at each.
//
// A side is sure as long as its socket was not cut and nothing was dropped; what
// one that is not sure has missed must be in the history. So must be what was
// skipped, as clients fetch it from there. What is pushed after a later
// message while nothing is missing in the end is out of order, unless nodes were
// looking after lost pushes at the time: they push the newest message ahead of
// others that are on their way.
type stream struct {
	mu     sync.Mutex
	users  [2]int
	known  [2]map[uint64]uint64 // seq -> message
	last   [2]uint64            // highest seq pushed
	unsure [2]bool
	passed [2]bool           // a seq was
	late   [2][]late         // what was pushed after a later seq, to one that is sure
	filled [2]int            // what was found in the history only
	seqs   map[uint64]uint64 // message -> seq
	wrong  []Wrong
}

type late struct {
	seq uint64
	at  time.Time
}

// looks are the seconds in which nodes looked after lost pushes, as far as clients
// can tell: what they knew was pushed again, or they were told that they are
// behind.
type looks struct {
	mu      sync.Mutex
	seconds map[int64]bool
}

// lookReach is how many seconds before and after such a sign pushes may overtake
// each other: as long as nodes let anything wait, and as much again.
const lookReach = 10

func (l *looks) note() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seconds == nil {
		l.seconds = make(map[int64]bool)
	}
	l.seconds[time.Now().Unix()] = true
}

// near says whether nodes may have looked at about that time.
func (l *looks) near(at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for second := at.Unix() - lookReach; second <= at.Unix()+lookReach; second++ {
		if l.seconds[second] {
			return true
		}
	}
	return false
}

// Wrong is a promise that was not kept.
type Wrong struct {
	Kind string `json:"kind"` // lost, dup, gap, reorder or mixed
	Text string `json:"text"`
}

func newStream(a, b int) *stream {
	return &stream{users: [2]int{a, b}, known: [2]map[uint64]uint64{{}, {}}, seqs: make(map[uint64]uint64)}
}

func (s *stream) side(user int) int {
	if s.users[0] == user {
		return 0
	}
	return 1
}

func (s *stream) report(kind, format string, args ...any) {
	s.wrong = append(s.wrong, Wrong{kind, fmt.Sprintf("users %d and %d: ", s.users[0], s.users[1]) + fmt.Sprintf(format, args...)})
}

// read takes what a side found in the history.
func (s *stream) read(side int, seq, message uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.known[side][seq]; !ok {
		s.filled[side]++
	}
	s.note(side, seq, message)
}

// ack takes what a sender was told.
func (s *stream) ack(side int, seq, message uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(side, seq, message)
}

// push takes what a receiver was told; repeated says that it knew it.
func (s *stream) push(side int, seq, message uint64) (repeated bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.known[side][seq]; ok && known == message && seq <= s.last[side] {
		return true
	}
	if seq <= s.last[side] && !s.unsure[side] {
		s.late[side] = append(s.late[side], late{seq, time.Now()})
	}
	for at := s.last[side] + 1; at < seq; at++ {
		if _, ok := s.known[side][at]; !ok {
			s.passed[side] = true
		}
	}
	s.last[side] = max(s.last[side], seq)
	s.note(side, seq, message)
	return false
}

func (s *stream) note(side int, seq, message uint64) {
	if at, ok := s.seqs[message]; ok && at != seq {
		s.report("dup", "a message stands at seq %d and at %d", at, seq)
	}
	s.seqs[message] = seq
	if other, ok := s.known[side][seq]; ok && other != message {
		s.report("mixed", "two messages stand at seq %d", seq)
	}
	s.known[side][seq] = message
}

// doubt says that a side may have missed something.
func (s *stream) doubt(side int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsure[side] = true
}

// level tells whether each side knows of the last message.
func (s *stream) level() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var last uint64
	for _, seq := range s.seqs {
		last = max(last, seq)
	}
	for side, known := range s.known {
		if _, ok := known[last]; !ok && last > 0 && !s.unsure[side] {
			return false
		}
	}
	return true
}

// lacks says after which seq a side that may lack something is to read the
// history.
func (s *stream) lacks(side int) (after uint64, read bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, there := s.known[side][after+1]; there; _, there = s.known[side][after+1] {
		after++
	}
	return after, s.unsure[side] || s.passed[side]
}

// check says what is missing once everything has arrived. looked says whether
// nodes were looking after lost pushes at a time.
func (s *stream) check(looked func(time.Time) bool) []Wrong {
	s.mu.Lock()
	defer s.mu.Unlock()
	for side, known := range s.known {
		for _, l := range s.late[side] {
			if s.filled[side] == 0 && !looked(l.at) {
				s.report("reorder", "seq %d is pushed after a later one", l.seq)
			}
		}
		if n := uint64(len(known)); n > 0 {
			if last := slices.Max(slices.Collect(maps.Keys(known))); last != n || known[0] != 0 {
				s.report("gap", "user %d knows %d messages up to seq %d", s.users[side], n, last)
			}
		}
		for seq, message := range known {
			if other, ok := s.known[1-side][seq]; !ok {
				s.report("lost", "user %d does not know seq %d", s.users[1-side], seq)
			} else if side == 0 && other != message {
				s.report("mixed", "the two have different messages at seq %d", seq)
			}
		}
	}
	return s.wrong
}

package load

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// seen is what a side of a conversation takes: an acknowledgement or a push.
type seen struct {
	side   int
	push   bool
	seq    uint64
	number uint64 // of the message
}

// talkOf is a conversation of n messages that goes well: an acknowledgement for
// the sender and a push for the receiver, each side in order.
func talkOf(r *rand.Rand, n int) (all []seen) {
	for seq := uint64(1); seq <= uint64(n); seq++ {
		sender := r.IntN(2)
		both := []seen{{sender, false, seq, 1000 + seq}, {1 - sender, true, seq, 1000 + seq}}
		r.Shuffle(2, func(i, j int) { both[i], both[j] = both[j], both[i] })
		all = append(all, both...)
	}
	return all
}

func never(time.Time) bool { return false }

func judge(all []seen, unsure ...int) map[string]int {
	s := newStream(6, 7)
	for _, side := range unsure {
		s.doubt(side)
	}
	for _, one := range all {
		if one.push {
			s.push(one.side, one.seq, one.number)
		} else {
			s.ack(one.side, one.seq, one.number)
		}
	}
	kinds := make(map[string]int)
	for _, w := range s.check(never) {
		kinds[w.Kind]++
	}
	return kinds
}

// TestWhatGoesWrongInAConversationIsFound plants one fault of each kind into
// conversations that go well.
func TestWhatGoesWrongInAConversationIsFound(t *testing.T) {
	plants := map[string]func(*rand.Rand, []seen) []seen{
		"lost": func(r *rand.Rand, all []seen) []seen { // a push that never comes
			i := pick(r, all, func(s seen) bool { return s.push })
			return slices.Delete(all, i, i+1)
		},
		"dup": func(r *rand.Rand, all []seen) []seen { // the last message stands in the log once more
			last := all[len(all)-1]
			last.seq++
			other := last
			other.side, other.push = 1-last.side, !last.push
			return append(all, last, other)
		},
		"reorder": func(r *rand.Rand, all []seen) []seen { // a push comes after one of its side's that follows
			i := pick(r, all, func(s seen) bool { return s.push })
			j := slices.IndexFunc(all[i+1:], func(s seen) bool { return s.push && s.side == all[i].side })
			if j < 0 {
				return nil
			}
			late := all[i]
			return slices.Insert(slices.Delete(all, i, i+1), i+j+1, late)
		},
		"mixed": func(r *rand.Rand, all []seen) []seen { // a push brings another message than was acknowledged
			all[pick(r, all, func(s seen) bool { return s.push })].number = 7
			return all
		},
		"gap": func(r *rand.Rand, all []seen) []seen { // a seq that no message has
			for i := range all {
				if all[i].seq > 3 {
					all[i].seq++
				}
			}
			return all
		},
	}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		good := talkOf(r, 5+r.IntN(30))
		if kinds := judge(good); len(kinds) > 0 {
			t.Fatalf("seed %d: a good conversation is said to have %v", seed, kinds)
		}
		for kind, plant := range plants {
			bad := plant(r, slices.Clone(good))
			if bad == nil {
				continue
			}
			if kinds := judge(bad); kinds[kind] == 0 {
				t.Errorf("seed %d: %q was planted, %v found", seed, kind, kinds)
			}
		}
	}
}

func pick(r *rand.Rand, all []seen, ok func(seen) bool) int {
	for {
		if i := r.IntN(len(all)); ok(all[i]) {
			return i
		}
	}
}

// TestASideThatWasCutReadsWhatItMissed is what a reconnect does.
func TestASideThatWasCutReadsWhatItMissed(t *testing.T) {
	s := newStream(0, 1)
	for seq := uint64(1); seq <= 9; seq++ {
		s.ack(0, seq, seq)
		if seq < 4 || seq == 9 {
			s.push(1, seq, seq)
		}
	}
	s.doubt(1)
	after, read := s.lacks(1)
	if after != 3 || !read {
		t.Fatalf("it is to read after %d, %v; want 3", after, read)
	}
	if len(s.check(never)) == 0 {
		t.Error("what was missed is not noticed before it is read")
	}
	s.wrong = nil
	for seq := after + 1; seq <= 9; seq++ {
		s.ack(1, seq, seq)
	}
	if !s.push(1, 9, 9) {
		t.Error("a push of a known message is not told from a new one")
	}
	if wrong := s.check(never); len(wrong) > 0 {
		t.Errorf("in the end something is wrong: %v", wrong)
	}
}

func TestPercentilesAreThoseOfASort(t *testing.T) {
	r, rng := newRecorder(), rand.New(rand.NewPCG(3, 4))
	var all []float64
	for range 10_000 {
		d := time.Duration(rng.ExpFloat64() * float64(5*time.Millisecond))
		r.add(d)
		all = append(all, float64(d)/float64(time.Millisecond))
	}
	slices.Sort(all)
	l, err := r.latency()
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []struct{ share, got float64 }{{0.5, l.P50}, {0.9, l.P90}, {0.99, l.P99}, {0.999, l.P999}} {
		if want := all[int(q.share*float64(len(all)))]; q.got < 0.98*want-0.002 || q.got > 1.02*want+0.002 {
			t.Errorf("the %v quantile is %v ms, by the sort it is %v", q.share, q.got, want)
		}
	}
	sum, err := l.merge(l)
	if err != nil || sum.Count != 2*l.Count || sum.P99 != l.P99 {
		t.Errorf("put together with itself it is %+v, %v", sum, err)
	}
}

func TestNobodyMeetsTheSamePartnerTwice(t *testing.T) {
	const users = 40
	met := make(map[[2]int]bool)
	for n := range users {
		met[[2]int{min(n, pair(n)), max(n, pair(n))}] = true
	}
	usual := len(met)
	for n := range users {
		for k := 0; ; k++ {
			partner, ok := fresh(n, k, users)
			if !ok {
				break
			}
			both := [2]int{min(n, partner), max(n, partner)}
			if met[both] || n == partner {
				t.Fatalf("user %d meets %d again", n, partner)
			}
			met[both] = true
		}
	}
	if cold := len(met) - usual; cold < users*(users/2-3) {
		t.Errorf("only %d cold conversations are possible", cold)
	}
}

func TestWhatWasPassedOverMayBeFetched(t *testing.T) {
	s := newStream(6, 7)
	s.push(1, 1, 1)
	s.push(1, 3, 3)
	if after, read := s.lacks(1); after != 1 || !read {
		t.Errorf("reads after %d: %v", after, read)
	}
	s.push(1, 2, 2) // a client skips it, or has it from the history
	s.read(1, 4, 4)
	s.ack(0, 1, 1)
	s.ack(0, 2, 2)
	s.ack(0, 3, 3)
	s.ack(0, 4, 4)
	if wrong := s.check(never); len(wrong) > 0 || s.filled != [2]int{0, 1} {
		t.Errorf("%v, %d filled", wrong, s.filled)
	}
}

func TestALastMessageIsWaitedFor(t *testing.T) {
	s := newStream(6, 7)
	if !s.level() {
		t.Error("nothing was said yet")
	}
	s.ack(0, 1, 1)
	if s.level() {
		t.Error("the other side has not heard of it")
	}
	s.push(1, 1, 1)
	if !s.level() {
		t.Error("both know it")
	}
}

func TestTheNewestMayComeEarlyWhenNodesLook(t *testing.T) {
	var l looks
	s := newStream(6, 7)
	for _, seq := range []uint64{1, 4, 2, 3, 5} { // 4 was lost, and fetched before 2 and 3 had come
		s.push(1, seq, seq)
		s.ack(0, seq, seq)
	}
	if wrong := s.check(l.near); len(wrong) != 2 {
		t.Errorf("nobody looked: %v", wrong)
	}
	s.wrong = nil
	l.note()
	if wrong := s.check(l.near); len(wrong) > 0 {
		t.Errorf("nodes looked: %v", wrong)
	}
	if now := time.Now(); l.near(now.Add(-time.Minute)) || l.near(now.Add(time.Minute)) {
		t.Error("a minute ago and in a minute is near")
	}
}

package fault

import (
	"iter"
	"math/rand/v2"
	"time"
)

// Single is one fault of a step, as the seed drew it.
type Single struct {
	Kind   Kind
	Victim int // the nth node that runs, counted round
	Hold   time.Duration
	Draw   uint64 // seeds what else the fault draws
}

// Step is one fault, or two at once, after a time without any.
type Step struct {
	Rest  time.Duration
	Begin []Single
}

// The bounds of what is drawn. The rest lets promises about calm times be tried.
const (
	minRest, maxRest = 2 * time.Second, 7 * time.Second
	minHold, maxHold = time.Second, 8 * time.Second
	longHold         = 30 * time.Second
)

// Plan draws steps without an end: each kind comes once before any comes twice,
// and a third of the steps are pairs. The same seed and kinds give the same
// steps.
func Plan(seed uint64, kinds []Kind) iter.Seq[Step] {
	return func(yield func(Step) bool) {
		rng := rand.New(rand.NewPCG(seed, 0xfa))
		var bag []Kind
		next := func() Kind {
			if len(bag) == 0 {
				bag = append(bag, kinds...)
				rng.Shuffle(len(bag), func(i, j int) { bag[i], bag[j] = bag[j], bag[i] })
			}
			k := bag[0]
			bag = bag[1:]
			return k
		}
		for len(kinds) > 0 {
			s := Step{Rest: between(rng, minRest, maxRest), Begin: []Single{draw(rng, next())}}
			if !s.Begin[0].Kind.Alone && rng.IntN(3) == 0 {
				if second := next(); second.Alone {
					bag = append([]Kind{second}, bag...)
				} else {
					s.Begin = append(s.Begin, draw(rng, second))
					s.Begin[1].Victim = s.Begin[0].Victim + 1
				}
			}
			if !yield(s) {
				return
			}
		}
	}
}

func between(rng *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(rng.Int64N(int64(high-low)))
}

func draw(rng *rand.Rand, k Kind) Single {
	s := Single{Kind: k, Victim: rng.IntN(1 << 20), Hold: between(rng, minHold, maxHold), Draw: rng.Uint64()}
	if rng.IntN(8) == 0 && !k.Alone {
		s.Hold = between(rng, maxHold, longHold)
	}
	return s
}

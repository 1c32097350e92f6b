package fault

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/parley-im/parley/chaos/fleet"
)

// steps draws the first steps of a plan, which cannot be compared by ==.
func steps(seed uint64, kinds []Kind, count int) (all []Step) {
	for s := range Plan(seed, kinds) {
		if all = append(all, s); len(all) == count {
			break
		}
	}
	return all
}

func TestAPlanFollowsFromItsSeed(t *testing.T) {
	names := func(all []Step) (told []string) {
		for _, s := range all {
			for _, one := range s.Begin {
				told = append(told, one.Kind.Name, one.Hold.String(), s.Rest.String())
			}
		}
		return told
	}
	first, again, other := names(steps(7, Kinds, 50)), names(steps(7, Kinds, 50)), names(steps(8, Kinds, 50))
	if !reflect.DeepEqual(first, again) {
		t.Error("one seed gives two plans")
	}
	if reflect.DeepEqual(first, other) {
		t.Error("two seeds give one plan")
	}
}

func TestEachKindComesOnceBeforeAnyComesTwice(t *testing.T) {
	made := map[string]int{}
	count := 0
	for _, s := range steps(3, Kinds, 4*len(Kinds)) {
		for _, one := range s.Begin {
			if rounds := count / len(Kinds); made[one.Kind.Name] != rounds {
				t.Fatalf("%s comes a time %d as fault %d of rounds of %d", one.Kind.Name, made[one.Kind.Name]+1, count+1, len(Kinds))
			}
			made[one.Kind.Name]++
			count++
		}
	}
}

func TestPairsAreOfKindsThatNeedNotBeAloneAndOfTwoVictims(t *testing.T) {
	pairs := 0
	for seed := range uint64(20) {
		for _, s := range steps(seed, Kinds, 40) {
			if len(s.Begin) == 1 {
				continue
			}
			pairs++
			if len(s.Begin) != 2 || s.Begin[0].Kind.Alone || s.Begin[1].Kind.Alone {
				t.Fatalf("seed %d makes %v side by side", seed, s.Begin)
			}
			if s.Begin[0].Victim+1 != s.Begin[1].Victim {
				t.Fatalf("seed %d has the victims %d and %d", seed, s.Begin[0].Victim, s.Begin[1].Victim)
			}
		}
	}
	if pairs < 50 {
		t.Errorf("%d pairs only", pairs)
	}
}

func TestAKindIsPossibleWhereThereIsWhatItNeeds(t *testing.T) {
	all, proxied := fleet.Abilities{Netns: true, Delay: true, Disks: true, Strace: true, Clock: true, Base: true}, fleet.Abilities{Proxies: true}
	for _, k := range Kinds {
		if err := k.Possible(all); err != nil {
			t.Errorf("with everything: %v", err)
		}
		if err := k.Possible(fleet.Abilities{}); (err == nil) != (k.needs == nothing) || err != nil && !errors.Is(err, ErrNotPossible) {
			t.Errorf("%s without anything: %v", k.Name, err)
		}
		if err := k.Possible(proxied); (err == nil) != (k.needs == nothing || k.needs == cuts) {
			t.Errorf("%s with proxies: %v", k.Name, err)
		}
	}
}

func TestNamesAreReadBackAndUnknownOnesRefused(t *testing.T) {
	chosen, err := Parse("kill, jitter,clock")
	if err != nil || !reflect.DeepEqual(Names(chosen), []string{"kill", "jitter", "clock"}) {
		t.Errorf("%v, %v", Names(chosen), err)
	}
	if all, err := Parse("all"); err != nil || len(all) != len(Kinds) {
		t.Errorf("all are %v, %v", Names(all), err)
	}
	if none, err := Parse("none"); err != nil || len(none) != 0 {
		t.Errorf("none are %v, %v", Names(none), err)
	}
	if _, err := Parse("kill,earthquake"); err == nil {
		t.Error("an earthquake is possible")
	}
}

func TestAClockIsOffByLittleAsOftenAsByMuch(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	small, large, back := 0, 0, 0
	for range 2000 {
		off := skew(rng)
		if off < 0 {
			back++
			off = -off
		}
		if off < minSkew || off > maxSkew {
			t.Fatalf("a clock is off by %v", off)
		}
		if off < 2*minSkew*5 { // the middle, by factors
			small++
		} else {
			large++
		}
	}
	if min(small, large, back, 2000-back) < 700 {
		t.Errorf("%d small, %d large, %d back", small, large, back)
	}
}

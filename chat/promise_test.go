package chat_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/internal/promise"
)

// TestEveryCommandHasAPromise wants a row in the model for each command.
func TestEveryCommandHasAPromise(t *testing.T) {
	names := func(of []chat.CommandBody) (out []string) {
		for _, c := range of {
			out = append(out, reflect.TypeOf(c).String())
		}
		slices.Sort(out)
		return out
	}
	if got, want := names(promise.Commands()), names(chat.Commands()); !slices.Equal(got, want) {
		t.Errorf("internal/promise has rows for %v, the rules are %v", got, want)
	}
}

// TestCommandsKeepTheirPromise applies random commands to plain rows. It makes some
// thousands of steps; a million take
//
//	go test ./chat -run CommandsKeepTheirPromise -v -rapid.checks=3000
func TestCommandsKeepTheirPromise(t *testing.T) {
	steps := 0
	rapid.Check(t, func(t *rapid.T) {
		w := promise.New(2, place)
		shelves := newShelves()
		take := func(step promise.Step) {
			steps++
			s := shelves[step.Shard]
			before := s.writes
			res, events := step.Apply(&s.State)
			err := w.Expect(step).Check(res, events)
			if res.Err != nil && s.writes != before {
				err = fmt.Errorf("%d writes of what was refused", s.writes-before)
			}
			if err == nil {
				err = w.Check(step.Shard, &s.State, false)
			}
			if err != nil {
				t.Fatalf("%v: %v", step, err)
			}
		}
		for range rapid.IntRange(200, 800).Draw(t, "steps") {
			take(w.Draw(t))
		}
		for _, step := range w.Deliveries() {
			take(step)
		}
		if err := w.Listed(); err != nil {
			t.Fatal(err)
		}
		for n, s := range shelves {
			if err := s.check(w, n); err != nil {
				t.Fatalf("shard %d: %v", n, err)
			}
		}
	})
	t.Logf("%d steps", steps)
}

// check holds all rows of a shard against the world.
func (s *shelf) check(w *promise.World, n uint16) error {
	for to := range newShelves() {
		first, effects := w.Undelivered(n, to)
		for i, e := range effects {
			ref := chat.EffectRef{Destination: to, Number: first + uint64(i)}
			if s.outbox[ref] != e {
				return fmt.Errorf("in the outbox there is %+v at %+v, want %+v", s.outbox[ref], ref, e)
			}
			delete(s.outbox, ref)
		}
	}
	if len(s.outbox) > 0 {
		return fmt.Errorf("the outbox has %+v, too", s.outbox)
	}
	for key := range s.dedupe {
		if key.IssuedAt < s.heads[key.Conversation].DedupeFloor {
			return fmt.Errorf("there is a row %+v below the floor, %d", key, s.heads[key.Conversation].DedupeFloor)
		}
	}
	return w.Check(n, &s.State, true)
}

// place spreads users as shelves do.
func place(to chat.Addressee) uint16 {
	if to.User == (chat.UserKey{}) {
		return destination(chat.UserKey{ID: to.Conversation.ID})
	}
	return destination(to.User)
}

func newShelves() map[uint16]*shelf { return map[uint16]*shelf{1: newShelf(), 2: newShelf()} }

func TestTheSameCommandsGiveTheSameState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, a, b := promise.New(2, place), newShelves(), newShelves()
		for range rapid.IntRange(200, 800).Draw(t, "steps") {
			step := w.Draw(t)
			w.Expect(step)
			ra, ea := step.Apply(&a[step.Shard].State)
			rb, eb := step.Apply(&b[step.Shard].State)
			if fmt.Sprint(ra.Err) != fmt.Sprint(rb.Err) || ra.Sent != rb.Sent || !reflect.DeepEqual(ea, eb) {
				t.Fatalf("%+v and %+v from the same command", ra, rb)
			}
		}
		if !maps.EqualFunc(a, b, (*shelf).same) {
			t.Fatal("two runs of the same commands left different rows")
		}
	})
}

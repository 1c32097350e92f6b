package ws

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/internal/fair"
)

// pass lets fake time pass.
func pass(t *testing.T, d time.Duration) {
	later, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	<-later.Done()
	synctest.Wait()
}

func TestTurnsComeInTheOrderInWhichTheyAreAskedForAfterARest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newTurns(1)
		const work = 2 * time.Millisecond
		var came []int
		for i := range 5 {
			go func() {
				give, _ := all.take(nil, fair.Source{})
				came = append(came, i)
				pass(t, work)
				give()
			}()
			synctest.Wait()
		}
		for i := range 5 {
			if want := []int{0, 1, 2, 3, 4}[:i+1]; !slices.Equal(came, want) {
				t.Errorf("%v came, want %v", came, want)
			}
			pass(t, work+restFactor*work)
		}
	})
}

func TestARestIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := newTurns(1)
		give, _ := all.take(nil, fair.Source{})
		pass(t, time.Hour)
		give()
		begun := time.Now()
		if _, _ = all.take(nil, fair.Source{}); time.Since(begun) != longestRest {
			t.Errorf("the next turn came after %v, want %v", time.Since(begun), longestRest)
		}
	})
}

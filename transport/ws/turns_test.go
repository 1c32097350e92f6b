package ws

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
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
		all := &turns{places: make(chan struct{}, 1)}
		const work = 2 * time.Millisecond
		var came []int
		for i := range 5 {
			go func() {
				give, err := all.take(t.Context())
				if err != nil {
					return
				}
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
		all := &turns{places: make(chan struct{}, 1)}
		give, err := all.take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pass(t, time.Hour)
		give()
		begun := time.Now()
		if _, err := all.take(t.Context()); err != nil || time.Since(begun) != longestRest {
			t.Errorf("the next turn came after %v, %v; want %v", time.Since(begun), err, longestRest)
		}
	})
}

func TestWhoHasGoneTakesNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := &turns{places: make(chan struct{}, 1)}
		give, _ := all.take(t.Context())
		gone, leave := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() {
			_, err := all.take(gone)
			left <- err
		}()
		synctest.Wait()
		leave()
		if err := <-left; err == nil {
			t.Error("it has a turn")
		}
		give()
		if _, err := all.take(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

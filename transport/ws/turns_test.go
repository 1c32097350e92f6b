package ws

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
)

func TestTurnsComeInTheOrderInWhichTheyAreAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := turns(make(chan struct{}, 2))
		for range 2 {
			if err := all.take(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		var came []int
		for i := range 5 {
			go func() {
				if all.take(t.Context()) == nil {
					came = append(came, i)
				}
			}()
			synctest.Wait()
		}
		if len(came) > 0 {
			t.Errorf("%v have a turn that nobody has given back", came)
		}
		for i := range 5 {
			all.give()
			synctest.Wait()
			if want := []int{0, 1, 2, 3, 4}[:i+1]; !slices.Equal(came, want) {
				t.Errorf("%v came, want %v", came, want)
			}
		}
	})
}

func TestWhoHasGoneTakesNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := turns(make(chan struct{}, 1))
		_ = all.take(t.Context())
		gone, leave := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() { left <- all.take(gone) }()
		synctest.Wait()
		leave()
		if err := <-left; err == nil {
			t.Error("it has a turn")
		}
		all.give()
		if err := all.take(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

package client

import (
	"context"
	"runtime"
	"testing"
)

func TestTurnsComeInTheOrderOfArrival(t *testing.T) {
	var turn turns
	ctx := context.Background()
	if err := turn.take(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	order := make(chan int, 3)
	for i := range 3 {
		go func() {
			if err := turn.take(ctx, "a"); err != nil {
				t.Error(err)
			}
			order <- i
			turn.pass("a")
		}()
		turn.waitFor("a", i+1)
	}
	turn.pass("a")
	for want := range 3 {
		if got := <-order; got != want {
			t.Errorf("%d came before %d", got, want)
		}
	}
	turn.waitFree("a")
}

func TestWhoGivesUpLeavesTheLine(t *testing.T) {
	var turn turns
	if err := turn.take(context.Background(), "a"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := turn.take(ctx, "a"); err == nil {
		t.Fatal("a turn was given twice")
	}
	if err := turn.take(ctx, "b"); err != nil {
		t.Errorf("another key: %v", err)
	}
	turn.pass("a")
	turn.waitFree("a")
}

// waitFor returns once n wait in line.
func (t *turns) waitFor(key string, n int) {
	for {
		t.mu.Lock()
		got := len(t.queue[key])
		t.mu.Unlock()
		if got == n {
			return
		}
		runtime.Gosched()
	}
}

// waitFree returns once nobody has the turn.
func (t *turns) waitFree(key string) {
	for {
		t.mu.Lock()
		_, busy := t.queue[key]
		t.mu.Unlock()
		if !busy {
			return
		}
		runtime.Gosched()
	}
}

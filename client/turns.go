package client

import (
	"context"
	"slices"
	"sync"
)

// turns lets one send per conversation through at a time, in the order of
// arrival, so that a later message never overtakes one that is being retried.
// The zero value is ready.
type turns struct {
	mu    sync.Mutex
	queue map[string][]chan struct{} // a key is there while somebody has its turn
}

// take waits for the turn of key; after nil the caller must pass it on.
func (t *turns) take(ctx context.Context, key string) error {
	t.mu.Lock()
	waiting, busy := t.queue[key]
	if !busy {
		if t.queue == nil {
			t.queue = map[string][]chan struct{}{}
		}
		t.queue[key] = nil
		t.mu.Unlock()
		return nil
	}
	mine := make(chan struct{})
	t.queue[key] = append(waiting, mine)
	t.mu.Unlock()
	select {
	case <-mine:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.queue[key], mine); i >= 0 {
		t.queue[key] = slices.Delete(t.queue[key], i, i+1)
		return ctx.Err()
	}
	return nil // the turn came at the same moment
}

// pass gives the turn to the next in line.
func (t *turns) pass(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	waiting := t.queue[key]
	if len(waiting) == 0 {
		delete(t.queue, key)
		return
	}
	close(waiting[0])
	t.queue[key] = waiting[1:]
}

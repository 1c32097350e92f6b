package ws

import (
	"context"
	"runtime/metrics"
	"testing"
	"testing/synctest"
	"time"
)

// gcPercent is what GOGC says, or has been set to since.
func gcPercent() uint64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func TestGarbageIsLeftWhileThereIsACrowd(t *testing.T) {
	usual := gcPercent()
	if usual >= crowdPercent {
		t.Skipf("GOGC is %d already", usual)
	}
	synctest.Test(t, func(t *testing.T) {
		all := &turns{places: make(chan struct{}, 1)}
		give, err := all.take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer give()
		here, leave := context.WithCancel(t.Context())
		come := func(n int) {
			for range n {
				go func() {
					if give, err := all.take(here); err == nil {
						give()
					}
				}()
			}
			synctest.Wait()
		}
		come(crowdSize - 1)
		if p := gcPercent(); p != usual {
			t.Errorf("fewer than a crowd: %d %%, usually %d %%", p, usual)
		}
		come(1)
		pass(t, time.Minute)
		if p := gcPercent(); p != crowdPercent {
			t.Errorf("a crowd: %d %%, want %d %%", p, crowdPercent)
		}
		leave()
		pass(t, (crowdGone+1)*time.Second)
		if p := gcPercent(); p != usual || all.crowded.Load() {
			t.Errorf("the crowd has gone: %d %%, usually %d %%", p, usual)
		}
	})
}

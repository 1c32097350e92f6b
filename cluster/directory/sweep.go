package directory

import "time"

// sweep keeps the directory's coarse clock and asks silent activations to go.
func (d *Directory) sweep() {
	defer close(d.stopped)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	limit := int64(max(d.o.Idle/time.Second, 1))
	for {
		select {
		case <-d.stop:
			return
		case <-tick.C:
		}
		now := d.now.Add(1)
		for i := range d.stripes {
			d.sweepStripe(&d.stripes[i], now-limit)
		}
	}
}

func (d *Directory) sweepStripe(s *stripe, before int64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, a := range s.live {
		if a.used.Load() < before {
			a.used.Store(d.now.Load())
			d.o.System.Root.Send(a.pid, Idle{})
		}
	}
}

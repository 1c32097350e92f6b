package directory

import "time"

// lookEvery is how often deadlines are looked at; the coarse clock counts
// seconds.
const lookEvery = 100 * time.Millisecond

// sweep ends what has waited too long, keeps the directory's coarse clock and
// asks silent activations to go.
func (d *Directory) sweep() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	limit := int64(max(d.o.Idle/time.Second, 1))
	for looks := 1; ; looks++ {
		select {
		case <-d.stop:
			return
		case <-tick.C:
		}
		now := d.elapsed()
		d.expire(now)
		for _, n := range d.everyNeighbour() {
			n.sweep(now)
		}
		if time.Duration(looks)*lookEvery%time.Second != 0 {
			continue
		}
		d.leads()
		second := d.now.Add(1)
		for i := range d.stripes {
			d.sweepStripe(&d.stripes[i], second-limit)
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

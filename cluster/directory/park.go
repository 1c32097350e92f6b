package directory

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/parley-im/parley/proto/actorpb"
)

// Bounds of what waits for a leader: longer than an election that goes well,
// shorter than the patience of whoever asks.
const (
	parkTime  = 1500 * time.Millisecond
	maxParked = 4096 // in a shard
	maxHeld   = 64 << 10
)

// parked is a message that nobody has taken yet.
type parked struct {
	id      Identity
	message any
	sender  *actor.PID
	until   time.Duration // by elapsed
}

// patience is how long a message may wait for a leader: not longer than its asker.
func patience(message any) time.Duration {
	if m, ok := message.(*actorpb.Ask); ok && m.DeadlineMs > 0 {
		return min(parkTime, time.Duration(m.DeadlineMs)*time.Millisecond)
	}
	return parkTime
}

// elapsed is the clock of deadlines.
func (d *Directory) elapsed() time.Duration { return time.Since(d.begun) }

// Parked is how many messages wait for somebody to lead.
func (d *Directory) Parked() int { return int(d.parked.Load()) }

// park keeps a message until somebody leads its shard. The stripe is locked.
func (d *Directory) park(s *stripe, m parked) error {
	switch {
	case d.closing.Load():
		return errClosing
	case actorpb.Number(m.message) == 0:
		return errNobody // it is for this node's actors only
	case len(s.parked) >= maxParked || d.parked.Load() >= maxHeld:
		return errBusy
	}
	s.parked = append(s.parked, m)
	d.parked.Add(1)
	return nil
}

// refusal is an answer that is given once no lock is held: it may lead back
// here.
type refusal struct {
	to      *actor.PID
	message any
	err     error
}

// unpark hands on what can be, in order. The stripe is locked.
func (d *Directory) unpark(s *stripe) (refused []refusal) {
	n := 0
	for ; n < len(s.parked); n++ {
		m := s.parked[n]
		done, err := d.place(s, m)
		if err != nil {
			refused = append(refused, refusal{m.sender, m.message, err})
		} else if !done {
			break
		}
	}
	d.drop(s, n)
	return refused
}

// drop takes the first n off.
func (d *Directory) drop(s *stripe, n int) {
	if n == 0 {
		return
	}
	rest := copy(s.parked, s.parked[n:])
	clear(s.parked[rest:])
	s.parked = s.parked[:rest]
	d.parked.Add(-int64(n))
}

// expire refuses what has waited too long. What leads meanwhile without a word
// of it, as after a stall of the disk, is found here too.
func (d *Directory) expire(now time.Duration) {
	if d.parked.Load() == 0 {
		return
	}
	for i := range d.stripes {
		s := &d.stripes[i]
		s.mu.Lock()
		refused := d.unpark(s)
		n := 0
		for ; n < len(s.parked) && s.parked[n].until <= now; n++ {
			refused = append(refused, refusal{s.parked[n].sender, s.parked[n].message, errNobody})
		}
		d.drop(s, n)
		s.mu.Unlock()
		d.refuse(refused...)
	}
}

// refuse answers requests that were not or may not have been done.
func (d *Directory) refuse(all ...refusal) {
	for _, r := range all {
		if request := actorpb.RequestOf(r.message); request != 0 && r.to != nil {
			d.o.System.Root.Send(r.to, actorpb.Refuse(request, "request", r.err))
		}
	}
}

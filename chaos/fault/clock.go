package fault

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// The bounds of how far a clock jumps: above what asking it takes, below what
// tokens and leases of a healthy cluster allow for.
const (
	minSkew = 200 * time.Millisecond
	maxSkew = 20 * time.Second
)

// skew draws how far a clock jumps, forth or back. Small jumps are as likely as
// large ones.
func skew(rng *rand.Rand) time.Duration {
	off := time.Duration(float64(minSkew) * math.Pow(float64(maxSkew/minSkew), rng.Float64())).Round(time.Millisecond)
	if rng.IntN(2) == 0 {
		return -off
	}
	return off
}

// clock has a node's wall clock jump, and jump back after the hold.
func clock(ctx context.Context, m *made) (err error) {
	ahead := skew(m.rng)
	m.begin(fmt.Sprintf("%+.3f s", ahead.Seconds()))
	healed := false
	defer func() {
		if !healed { // whatever happens
			err = errors.Join(err, m.victim.SetClock(0))
		}
	}()
	if err := m.victim.SetClock(ahead); err != nil {
		return err
	}
	if err := seen(ctx, func() bool { return m.tells(ctx, ahead) }); err != nil {
		return fmt.Errorf("%w: %s tells another time", err, m.victim.Name)
	}
	m.effect("%s tells a time that is %v off", m.victim.Name, ahead)
	if err := wait(ctx, m.hold); err != nil {
		return err
	}
	m.heal()
	healed = true
	if err := m.victim.SetClock(0); err != nil {
		return err
	}
	if err := seen(ctx, func() bool { return m.tells(ctx, 0) }); err != nil {
		return fmt.Errorf("%s does not tell the right time again", m.victim.Name)
	}
	return nil
}

// tells says whether the victim was asked for the time, quickly enough to tell,
// and its clock is ahead by so much.
func (m *made) tells(ctx context.Context, ahead time.Duration) bool {
	least, most, err := m.victim.ClockAhead(ctx)
	return err == nil && most-least < minSkew && least <= ahead && ahead <= most
}

package fault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Users are what some faults need of those who talk.
type Users interface {
	// CutSockets ends all sockets of theirs to a node's URL, to all nodes if it is
	// empty, and counts them.
	CutSockets(url string) int
	// Sleep has some devices read nothing until Wake, and counts them. Missed counts
	// the messages that were acknowledged and they have not got.
	Sleep() (devices int)
	Wake()
	Missed() (messages int)
}

// Intruders are those who mean a node no good. What they got is in the history.
type Intruders interface {
	// Attack breaks the protocol for a time, and says how often it got which answer.
	Attack(ctx context.Context, node, url string, hold time.Duration) (answers map[int]int, err error)
	// Flood logs in with bad tokens for a time, and says how often it was refused
	// with which code, and let in.
	Flood(ctx context.Context, node, url string, hold time.Duration) (refused map[int]int, let int, err error)
	// Serves gives nil when the node lets somebody in whose token is good.
	Serves(ctx context.Context, url string) error
}

// storm cuts the sockets of all users, or of those of one node, several times.
func storm(ctx context.Context, m *made) error {
	url, whose := "", "all users"
	if m.rng.IntN(2) == 0 {
		url, whose = m.victim.URL(), "the users of "+m.victim.Name
	}
	m.begin(whose)
	const rounds = 3
	total := 0
	for range rounds {
		total += m.Users.CutSockets(url)
		if err := wait(ctx, m.hold/rounds); err != nil {
			return err
		}
	}
	if total == 0 { // they may all have gone to other nodes
		total = m.Users.CutSockets("")
	}
	if total == 0 {
		return fmt.Errorf("%w: there was no socket to cut", ErrNoEffect)
	}
	m.effect("%d sockets were cut", total)
	m.heal() // nothing is left to be undone
	return nil
}

// slowClients has some devices not read while they are written to.
func slowClients(ctx context.Context, m *made) error {
	m.begin("")
	devices := m.Users.Sleep()
	awake := false
	wake := func() {
		if !awake {
			awake = true
			m.Users.Wake()
		}
	}
	defer wake() // whatever happens
	if devices == 0 {
		return fmt.Errorf("%w: no device is online that could stop reading", ErrNoEffect)
	}
	if err := seen(ctx, func() bool { return m.Users.Missed() > 0 }); err != nil {
		return fmt.Errorf("%w: nobody writes to those who do not read", ErrNoEffect)
	}
	if err := wait(ctx, m.hold); err != nil {
		return err
	}
	m.effect("%d devices read nothing while %d messages for them were acknowledged", devices, m.Users.Missed())
	m.heal()
	wake()
	return nil
}

// hostile has connections to a node break the protocol. The node must go on.
func hostile(ctx context.Context, m *made) error {
	m.begin("")
	answers, err := m.Intruders.Attack(ctx, m.victim.Name, m.victim.URL(), m.hold)
	if err != nil {
		return err
	}
	all := 0
	for code, n := range answers {
		if code != 0 {
			all += n
		}
	}
	if all == 0 {
		return fmt.Errorf("%w: no connection got an answer", ErrNoEffect)
	}
	m.effect("%d connections were answered: %s", all, counts(answers))
	m.heal()
	return m.served(ctx)
}

// tokenFlood logs in on a node with hundreds of bad tokens.
func tokenFlood(ctx context.Context, m *made) error {
	m.begin("")
	refused, let, err := m.Intruders.Flood(ctx, m.victim.Name, m.victim.URL(), m.hold)
	if err != nil {
		return err
	}
	if len(refused) == 0 && let == 0 {
		return fmt.Errorf("%w: nobody was answered", ErrNoEffect)
	}
	m.effect("%d logins were let in, and refused %s", let, counts(refused))
	m.heal()
	return m.served(ctx)
}

// counts lists how often each number came.
func counts(of map[int]int) string {
	var words []string
	for _, code := range slices.Sorted(maps.Keys(of)) {
		words = append(words, fmt.Sprintf("%d × %d", of[code], code))
	}
	return strings.Join(words, ", ")
}

// served waits until the victim lets somebody in.
func (m *made) served(ctx context.Context) error {
	var last error
	if seen(ctx, func() bool {
		last = m.Intruders.Serves(ctx, m.victim.URL())
		return last == nil
	}) != nil {
		return errors.Join(fmt.Errorf("%s lets nobody in", m.victim.Name), last)
	}
	return nil
}

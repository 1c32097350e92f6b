package fault

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-im/parley/chaos/fleet"
	"github.com/parley-im/parley/chaos/history"
)

// crowd is users and intruders who do as they are asked.
type crowd struct {
	sockets, devices, missed int
	asleep                   int
	answers                  map[int]int
	serves                   int // after so many questions; 0: never
}

func (c *crowd) CutSockets(string) int { n := c.sockets; c.sockets = 0; return n }
func (c *crowd) Sleep() int            { c.asleep++; return c.devices }
func (c *crowd) Wake()                 { c.asleep-- }
func (c *crowd) Missed() int           { return c.missed }

func (c *crowd) Attack(context.Context, string, string, time.Duration) (map[int]int, error) {
	return c.answers, nil
}

func (c *crowd) Flood(context.Context, string, string, time.Duration) (map[int]int, int, error) {
	return c.answers, 0, nil
}

func (c *crowd) Serves(context.Context, string) error {
	if c.serves--; c.serves == 0 {
		return nil
	}
	return errors.New("nobody is let in")
}

func TestFaultsOfClientsTellWhatWasSeen(t *testing.T) {
	for name, c := range map[string]struct {
		with   crowd
		effect string // empty: none is seen
		fails  bool   // also when something was seen
	}{
		"storm":        {with: crowd{sockets: 70}, effect: "70 sockets were cut"},
		"slow-clients": {with: crowd{devices: 32, missed: 9}, effect: "32 devices read nothing while 9 messages for them were acknowledged"},
		"hostile":      {with: crowd{answers: map[int]int{4400: 3, 0: 1, 1002: 2}, serves: 3}, effect: "5 connections were answered: 1 × 0, 2 × 1002, 3 × 4400"},
		"token-flood":  {with: crowd{answers: map[int]int{6000103: 300}, serves: 1}, effect: "0 logins were let in, and refused 300 × 6000103"},

		"storm without sockets":                     {},
		"slow-clients without devices":              {with: crowd{missed: 9}},
		"slow-clients whom nobody writes to":        {with: crowd{devices: 32}},
		"hostile whom nobody answers":               {with: crowd{answers: map[int]int{0: 5}, serves: 1}},
		"token-flood that nobody answers":           {with: crowd{serves: 1}},
		"hostile to a node that then serves nobody": {with: crowd{answers: map[int]int{4400: 1}}, effect: "1 connections", fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kind, _, _ := strings.Cut(name, " ")
				chosen, err := Parse(kind)
				if err != nil {
					t.Fatal(err)
				}
				var record bytes.Buffer
				w := history.NewWriter(&record, history.Config{})
				m := &made{
					Env: &Env{History: w, Users: &c.with, Intruders: &c.with}, op: firstOp, kind: chosen[0], victim: &fleet.Node{Name: "n1"},
					hold: 3 * time.Second, rng: rand.New(rand.NewPCG(1, 1)),
				}
				err = chosen[0].make(t.Context(), m)
				if bad := c.effect == ""; errors.Is(err, ErrNoEffect) != bad && !c.fails || (err != nil) != (bad || c.fails) {
					t.Errorf("the error is %v", err)
				}
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(record.String(), c.effect) || c.effect == "" && strings.Contains(record.String(), string(history.KindEffect)+`"`) {
					t.Errorf("recorded was %s", record.String())
				}
				if c.with.asleep != 0 {
					t.Errorf("devices are left asleep by %d", c.with.asleep)
				}
			})
		})
	}
}

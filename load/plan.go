package load

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/parley-im/parley/auth"
)

// Scenario is what users do.
type Scenario string

// The scenarios. All conversations are between two users of the run; peer messages
// go to those that exist when the talk begins.
const (
	Peer    Scenario = "peer"    // each writes to one other, who writes back
	Cold    Scenario = "cold"    // each message is the first one of its conversation
	Connect Scenario = "connect" // they log in and stay
	Mixed   Scenario = "mixed"   // of 20 things: 16 peer messages, 2 cold ones, a page of history, a lost connection
)

// Scenarios lists them.
var Scenarios = []Scenario{Peer, Cold, Connect, Mixed}

// Plan is a run against nodes that run already.
type Plan struct {
	Targets  []string // http(s)://host:port; users are spread over them
	App      auth.App
	Users    int // an even number
	Scenario Scenario
	// Rate is open loop, in messages a second of all users together; Closed is
	// how many messages each user has outstanding. One of them is 0.
	Rate, Closed int
	Ramp         time.Duration // over which users log in; 0: as fast as they are let
	Duration     time.Duration // of the talk
	Size         int           // bytes of a message
	PIDs         []int         // server processes on this machine, to be measured
	// Storm is how many users lose their connection at once, half way.
	Storm int
	// Elsewhere is how many users of other processes lose theirs then.
	Elsewhere int
	// Deaf is how many users stop reading for the second half, in a run without a
	// storm. How long things take for them is not recorded from then on.
	Deaf int
	// Dir is where the disk is calibrated.
	Dir string

	// Run is in all user IDs, so that runs do not meet each other's
	// conversations. First is the number of the first user.
	Run   string
	First int
}

// Check tells what is wrong with a plan, in a sentence.
func (p *Plan) Check() error {
	for _, t := range p.Targets {
		if u, err := url.Parse(t); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
			return fmt.Errorf("--target: %q is not http(s)://HOST:PORT", t)
		}
	}
	switch {
	case len(p.Targets) == 0:
		return fmt.Errorf("--target names no node")
	case p.Users < 2 || p.Users%2 != 0:
		return fmt.Errorf("--users must be even and above 0: everybody has a partner")
	case !slices.Contains(Scenarios, p.Scenario):
		return fmt.Errorf("there is no scenario %q; there are %v", p.Scenario, Scenarios)
	case p.Rate < 0 || p.Closed < 0 || p.Scenario != Connect && (p.Rate > 0) == (p.Closed > 0):
		return fmt.Errorf("give one of --rate and --closed, above 0")
	case p.Scenario == Connect && p.Rate+p.Closed > 0:
		return fmt.Errorf("users of the scenario connect say nothing: leave --rate and --closed out")
	case p.Duration < time.Second || p.Ramp < 0:
		return fmt.Errorf("--duration must be a second or more, --ramp not negative")
	case p.Size < 1 || p.Size > maxSize:
		return fmt.Errorf("--size must be 1 to %d", maxSize)
	case p.Storm < 0 || p.Storm > p.Users || p.Storm%2 != 0:
		return fmt.Errorf("--storm must be even and not above --users")
	case p.Deaf < 0 || p.Deaf > p.Users || p.Deaf > 0 && p.Storm > 0:
		return fmt.Errorf("--deaf must not be above --users, nor go with --storm")
	}
	return nil
}

// maxSize is what every app lets a text have.
const maxSize = 32 << 10

// pair is the usual partner of a user.
func pair(n int) int { return n ^ 1 }

// fresh is the partner of a user's k-th cold conversation, of so many users; ok
// is false when the user has met everybody. No two users get each other twice:
// each only looks less than half way round.
func fresh(n, k, users int) (partner int, ok bool) {
	distance := k + 2 // 0 is oneself, 1 may be the usual partner
	return (n + distance) % users, 2*distance < users
}

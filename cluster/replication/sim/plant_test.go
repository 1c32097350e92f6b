package sim

import (
	"strings"
	"testing"
)

// seedsPerPlant is within how many seeds a planted bug must be found.
const seedsPerPlant = 10_000

// shows is what a bug must be found by where it could also show as something
// else; none may be found by a run that does not come to rest.
var shows = map[Plant]string{ReadStale: "not linearizable"}

func TestPlantedBugsAreFound(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("runs some thousand seeds")
	}
	for p := NoPlant + 1; p < plants; p++ {
		t.Run(p.String(), func(t *testing.T) {
			for seed := uint64(1); seed <= seedsPerPlant; seed++ {
				if res := Run(seed, Options{Plant: p, Restore: p == GuardOff}); strings.Contains(res.Violation, shows[p]) && res.Violation != "" && !strings.Contains(res.Violation, "after healing") {
					t.Logf("found by seed %d: %.200s", seed, res.Violation)
					return
				}
			}
			t.Errorf("not found in %d seeds", seedsPerPlant)
		})
	}
}

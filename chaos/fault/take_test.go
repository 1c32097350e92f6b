package fault

import (
	"testing"

	"github.com/parley-im/parley/chaos/fleet"
)

func TestNoNodeIsTheVictimOfTwoFaults(t *testing.T) {
	var env Env
	a, b := new(fleet.Node), new(fleet.Node)
	one, other := &made{Env: &env}, &made{Env: &env}
	if !one.take(a) || !other.take(b) {
		t.Fatal("a node that is free is not to be had")
	}
	if other.take(a) || other.victim != b {
		t.Error("the other fault has the victim of the first")
	}
	if !one.take(a) {
		t.Error("a fault may not keep its victim")
	}
	one.take(nil)
	if !other.take(a) {
		t.Error("a node that is free again is not to be had")
	}
	if one.take(b); one.victim != b {
		t.Error("what the other fault gave up is not to be had")
	}
}

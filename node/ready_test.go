package node

import (
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/cluster/placement"
)

func TestANodeIsReadyWhileItReachesMostLeaders(t *testing.T) {
	var h health
	at := time.Now()
	said := func(state placement.State, served int) string {
		h.observe(at, served, 128)
		return h.problem(at, state, served, 128)
	}
	h.wait("starting")
	if got := said(placement.Active, 128); got != "starting" {
		t.Errorf("while it starts: %q", got)
	}
	h.wait("")
	for served, want := range map[int]string{128: "", 127: "", 65: ""} {
		if got := said(placement.Active, served); got != want {
			t.Errorf("with %d shards: %q", served, got)
		}
	}
	at = at.Add(cutOffAfter)
	if got := said(placement.Active, 64); got != "" {
		t.Errorf("during an election: %q", got)
	}
	at = at.Add(time.Millisecond)
	if got := said(placement.Active, 64); !strings.Contains(got, "64 of 128") {
		t.Errorf("cut off: %q", got)
	}
	if got := said(placement.Active, 65); got != "" {
		t.Errorf("when the others are back: %q", got)
	}
	if got := said(placement.Draining, 128); !strings.Contains(got, "drained") {
		t.Errorf("drained: %q", got)
	}
	if got := said(placement.Removed, 128); !strings.Contains(got, "removed") {
		t.Errorf("removed: %q", got)
	}
	h.end()
	if got := said(placement.Active, 128); !strings.Contains(got, "shutting down") {
		t.Errorf("at the end: %q", got)
	}
}

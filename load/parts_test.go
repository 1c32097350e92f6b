package load

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// niceness runs nice, which prints its own.
func niceness(t *testing.T, change func(*exec.Cmd) error) int {
	t.Helper()
	cmd := exec.Command("nice")
	if err := change(cmd); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestThoseWhoAreCutStandBack(t *testing.T) {
	own := niceness(t, func(*exec.Cmd) error { return nil })
	if n := niceness(t, standBack); n != min(own+10, 19) {
		t.Errorf("the command's niceness is %d, the test's %d", n, own)
	}
}

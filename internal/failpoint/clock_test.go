//go:build failpoint

package failpoint

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

func TestAClockIsOffByWhatItsFileSaysAtTheMoment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "clock")
	t.Setenv("PARLEY_CLOCK", file)
	synctest.Test(t, func(t *testing.T) {
		now := Clock()
		for _, step := range []struct {
			says string
			off  time.Duration
		}{{"", 0}, {"-1.5s\n", -1500 * time.Millisecond}, {"20s", 20 * time.Second}, {"nonsense", 0}, {"0s", 0}} {
			if err := os.WriteFile(file, []byte(step.says), 0o600); err != nil {
				t.Fatal(err)
			}
			look := time.NewTimer(2 * ClockDelay)
			<-look.C
			if off := now().Sub(time.Now()); off != step.off {
				t.Errorf("the file says %q: the clock is off by %v, want %v", step.says, off, step.off)
			}
		}
	})
}

func TestAClockWithoutAFileIsRight(t *testing.T) {
	t.Setenv("PARLEY_CLOCK", filepath.Join(t.TempDir(), "missing"))
	before := time.Now()
	if got := Clock()(); got.Before(before) || got.After(time.Now()) {
		t.Errorf("the clock says %v, asked at %v", got, before)
	}
}
